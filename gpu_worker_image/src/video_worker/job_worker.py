"""Take a job from the queue, run its pipeline, store the results, finish it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from aws_lambda_powertools import Logger
from video_jobs.domain import transitions
from video_jobs.domain.errors import (
    ConflictError,
    FileMissingError,
    JobTooLongError,
    PermanentJobError,
    PipelineError,
    ReceiptExpiredError,
    TransientError,
    UnreadableVideoError,
    VideoJobsError,
)
from video_jobs.domain.job import Job, JobStatus
from video_jobs.domain.keys import results_index_key, results_key
from video_jobs.domain.transitions import Transition
from video_jobs.ports import Clock, JobRepository, QueueMessage, QueueService, StorageService
from video_jobs.services.claim_job import Claim, Verdict, claim_job
from video_jobs.settings import WorkerSettings

from video_worker.analysis import AnalysisRun, AnalysisService, RunRequest
from video_worker.heartbeat import Heartbeat
from video_worker.parts import JobParts, remove_parts
from video_worker.results_serializer import write_results
from video_worker.stop_signal import StoppedError, StopSignal

_LONGEST_PAUSE_S = 60.0
_LONGEST_RETRY_DELAY_S = 900
_IDLE_PAUSE_S = 0.2
_BEATS_A_LEASE = 3


class Outcome(StrEnum):
    """How one turn of the worker ended."""

    IDLE = "idle"
    SKIPPED = "skipped"
    COMPLETED = "completed"
    FAILED = "failed"
    RETURNED = "returned"
    LOST = "lost"


class LeaseLostError(Exception):
    """The job is another worker's now, or was ended from outside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerPorts:
    """What the worker needs from the outside."""

    jobs: JobRepository
    storage: StorageService
    queue: QueueService
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLimits:
    """Rules of the job's life that worker and functions share."""

    max_crashes: int
    keep: timedelta


class JobWorker:
    """One worker: `run_once` takes at most one job, `run_forever` goes on until it is told to stop.

    Parameters
    ----------
    protection
        Entered while a job is worked on: `video_worker.scale_in_protection`.
    heartbeat_type
        What keeps the lease alive meanwhile.
    random
        Spreads the pauses of many workers.
    """

    def __init__(
        self,
        worker_id: str,
        ports: WorkerPorts,
        pipelines: AnalysisService,
        settings: WorkerSettings,
        limits: WorkerLimits,
        stop: StopSignal,
        logger: Logger,
        *,
        protection: AbstractContextManager[None] | None = None,
        heartbeat_type: Callable[..., Heartbeat] = Heartbeat,
        random: Random | None = None,
    ) -> None:
        self._id = worker_id
        self._ports = ports
        self._pipelines = pipelines
        self._protection = protection or nullcontext()
        self._heartbeat_type = heartbeat_type
        self._random = random or Random()  # noqa: S311 - it only spreads pauses
        self._settings = settings
        self._limits = limits
        self._stop = stop
        self._logger = logger
        self._lease = timedelta(seconds=settings.lease_s)
        self._pause_s = min(settings.heartbeat_s, settings.lease_s / _BEATS_A_LEASE)
        # The queue may hand a message to the poll of a worker that has just died: until the first
        # heartbeat holds it for a whole lease, it is held only briefly.
        self._first_visibility_s = ceil(self._pause_s * _BEATS_A_LEASE)

    def run_forever(self) -> None:
        """Work until the stop signal; pause longer and longer while AWS answers with errors."""
        errors = 0
        while not self._stop.requested.is_set():
            try:
                outcome = self.run_once(wait_s=self._settings.poll_wait_s)
                errors = 0
                if outcome is Outcome.IDLE and self._settings.poll_wait_s == 0:
                    self._stop.requested.wait(_IDLE_PAUSE_S)
            except Exception as error:  # noqa: BLE001 - the outermost loop: a worker outlives any job
                errors += 1
                pause_s = min(_LONGEST_PAUSE_S, 2.0**errors) * self._random.uniform(0.5, 1.0)
                self._log_loop_error(error, pause_s)
                self._stop.requested.wait(pause_s)
        self._logger.info("worker stopped", action="worker_stopped")

    def run_once(self, wait_s: int = 0) -> Outcome:
        """Receive one message, waiting up to ``wait_s`` seconds, and do what it asks for."""
        self._pipelines.prepare()
        message = self._ports.queue.dequeue(wait_s=wait_s, visibility_s=self._first_visibility_s)
        if message is None:
            return Outcome.IDLE
        claim = claim_job(
            message,
            self._id,
            self._lease,
            jobs=self._ports.jobs,
            clock=self._ports.clock,
            max_crashes=self._limits.max_crashes,
            keep=self._limits.keep,
        )
        if claim.job is None:
            self._decline(message, claim)
            return Outcome.SKIPPED
        self._logger.append_keys(job_id=claim.job.job_id, attempt=claim.job.attempt)
        try:
            with self._protection:
                return self._work(claim.job, message)
        finally:
            self._logger.remove_keys(["job_id", "attempt"])

    def _decline(self, message: QueueMessage, claim: Claim) -> None:
        self._logger.info("message declined", action="message_declined", reason=claim.reason)
        if claim.verdict is Verdict.RETURN:
            self._return(message, claim.delay_s)
        else:
            self._acknowledge(message)

    def _work(self, job: Job, message: QueueMessage) -> Outcome:
        self._logger.info("job started", action="job_started", pipeline_id=job.pipeline_id)
        try:
            change = self._run_with_heartbeat(job, message)
        except LeaseLostError:
            self._logger.warning("lease lost", action="lease_lost")
            return Outcome.LOST
        except StoppedError:
            return self._give_back(job, message, count_failure=False, delay_s=0)
        except (TransientError, MemoryError, ConnectionError) as error:
            return self._retry_or_fail(job, message, error)
        except PermanentJobError as error:
            return self._finish(job, message, self._failure(job, error))
        except Exception as error:
            self._logger.exception("pipeline failed", action="pipeline_failed")
            named = PipelineError(
                f"The pipeline {job.pipeline_id} failed on this video ({type(error).__name__})"
            )
            return self._finish(job, message, self._failure(job, named))
        return self._finish(job, message, change)

    def _run_with_heartbeat(self, job: Job, message: QueueMessage) -> Transition:
        ports = self._ports
        heartbeat = self._heartbeat_type(
            job,
            message,
            self._lease,
            self._pause_s,
            jobs=ports.jobs,
            queue=ports.queue,
            clock=ports.clock,
            logger=self._logger,
        )
        work_dir = self._settings.work_dir or None
        with heartbeat, TemporaryDirectory(prefix="video-job-", dir=work_dir) as folder:
            return self._analyse(job, heartbeat, Path(folder))

    def _analyse(self, job: Job, heartbeat: Heartbeat, folder: Path) -> Transition:
        fingerprint = self._pipelines.fingerprint(job.pipeline_id)
        self._change(job, transitions.record_fingerprint(job, fingerprint=fingerprint, now=self._now()))
        self._logger.info("fingerprint", action="fingerprint", fingerprint=fingerprint)
        parts = JobParts(job, fingerprint["id"], self._ports.storage, folder)
        request = RunRequest(
            self._fetch_video(job, folder),
            job.pipeline_id,
            job.frame_stride,
            job.max_frames,
            skip_frames=parts.fetch_finished(),
            part_frames=job.part_frames,
        )
        run = self._pipelines.run(request, self._conditions_of_going_on(heartbeat))
        heartbeat.frames_total = run.frames_total
        for frames_done in parts.write(run):
            heartbeat.frames_done = frames_done
        return self._store_results(job, parts, run, heartbeat, folder)

    def _fetch_video(self, job: Job, folder: Path) -> Path:
        video = folder / "video.mp4"
        try:
            self._ports.storage.load_file(job.input_path, video, job.input_version)
        except FileMissingError:
            raise UnreadableVideoError(
                "Unable to read video file: it was deleted from the storage; submit the job again"
            ) from None
        return video

    def _conditions_of_going_on(self, heartbeat: Heartbeat) -> Callable[[], None]:
        must_end_at = self._now() + timedelta(seconds=self._settings.job_limit_s)

        def keep_going() -> None:
            if heartbeat.lost.is_set():
                raise LeaseLostError
            if self._stop.grace_is_over():
                raise StoppedError
            if self._now() > must_end_at:
                raise JobTooLongError

        return keep_going

    def _store_results(
        self, job: Job, parts: JobParts, run: AnalysisRun, heartbeat: Heartbeat, folder: Path
    ) -> Transition:
        results, index = folder / "results.json", folder / "results.idx"
        count = write_results(parts.paths, results, index)
        heartbeat.beat()
        if heartbeat.lost.is_set():
            raise LeaseLostError
        storage = self._ports.storage
        stored = storage.save_file(results_key(job.job_id), results, "application/json")
        sidecar = storage.save_file(results_index_key(job.job_id), index, "application/octet-stream")
        return transitions.complete(
            job,
            output_path=stored.key,
            output_version=stored.version,
            output_index_version=sidecar.version,
            frames_done=count,
            warnings=run.warnings,
            keep=self._limits.keep,
            now=self._now(),
        )

    def _finish(self, job: Job, message: QueueMessage, change: Transition) -> Outcome:
        """Write the end; a failed delete of the message afterwards does no harm."""
        try:
            ended = self._change(job, change)
        except LeaseLostError:
            self._logger.warning("lease lost at the end", action="lease_lost")
            return Outcome.LOST
        self._logger.info(
            "job ended",
            action=f"job_{ended.status}",
            frames=ended.frames_done,
            error_code=ended.error_code,
            warnings=list(ended.warnings),
        )
        self._acknowledge(message)
        if ended.status is JobStatus.COMPLETED:
            self._remove_parts(ended)
        return Outcome(str(ended.status))

    def _remove_parts(self, job: Job) -> None:
        """Only now: until the end is written, another worker may be resuming from them."""
        try:
            remove_parts(job.job_id, self._ports.storage)
        except TransientError as error:  # the bucket's lifecycle rule removes them later
            self._logger.warning("parts not removed", action="remove_parts_failed", reason=error.message)

    def _retry_or_fail(self, job: Job, message: QueueMessage, error: BaseException) -> Outcome:
        self._logger.warning("attempt failed", action="attempt_failed", reason=repr(error))
        if job.failures + 1 < self._settings.max_failures:
            ceiling_s = min(_LONGEST_RETRY_DELAY_S, self._settings.retry_delay_s * 2**job.failures)
            delay_s = round(self._random.uniform(ceiling_s / 2, ceiling_s))
            return self._give_back(job, message, count_failure=True, delay_s=delay_s)
        reason = error.message if isinstance(error, VideoJobsError) else type(error).__name__
        last = TransientError(
            f"The job failed {job.failures + 1} times, at last with: {reason}; try it later"
        )
        return self._finish(job, message, self._failure(job, last))

    def _give_back(self, job: Job, message: QueueMessage, *, count_failure: bool, delay_s: int) -> Outcome:
        try:
            self._change(job, transitions.give_back(job, count_failure=count_failure, now=self._now()))
        except LeaseLostError:
            return Outcome.LOST
        self._return(message, delay_s)
        self._logger.info("job returned", action="job_returned", delay_s=delay_s)
        return Outcome.RETURNED

    def _failure(self, job: Job, error: VideoJobsError) -> Transition:
        return transitions.fail_running(
            job, code=error.code, message=error.message, keep=self._limits.keep, now=self._now()
        )

    def _change(self, job: Job, change: Transition) -> Job:
        try:
            return self._ports.jobs.update_status(job.job_id, change)
        except ConflictError as exc:
            raise LeaseLostError from exc

    def _acknowledge(self, message: QueueMessage) -> None:
        try:
            self._ports.queue.acknowledge(message)
        except (ReceiptExpiredError, TransientError) as error:
            self._logger.warning("message not deleted", action="acknowledge_failed", reason=error.message)

    def _return(self, message: QueueMessage, delay_s: int) -> None:
        try:
            self._ports.queue.return_message(message, delay_s)
        except (ReceiptExpiredError, TransientError) as error:  # then it comes back by itself
            self._logger.warning("message not returned", action="return_failed", reason=error.message)

    def _log_loop_error(self, error: Exception, pause_s: float) -> None:
        if isinstance(error, TransientError):
            self._logger.warning("AWS is away", action="aws_away", reason=error.message, pause_s=pause_s)
        else:
            self._logger.exception("unexpected error", action="worker_error", pause_s=pause_s)

    def _now(self) -> datetime:
        return self._ports.clock.now()
