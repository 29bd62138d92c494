"""Take a job from the queue, run its pipeline, store the results, finish it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from enum import StrEnum
from math import ceil
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from aws_lambda_powertools import Logger
from video_jobs.application import VideoJobs
from video_jobs.domain.errors import (
    PermanentJobError,
    PipelineError,
    ReceiptExpiredError,
    TransientError,
    VideoJobsError,
)
from video_jobs.domain.formats import NEWEST_FORMAT
from video_jobs.domain.job import Job, JobStatus
from video_jobs.domain.segments import HelpMessage
from video_jobs.ports import QueueMessage
from video_jobs.settings import WorkerSettings
from video_jobs.use_cases.work import Claim, Claimant, LeaseLostError, Verdict

from video_worker.analysis import AnalysisService
from video_worker.going_on import GoingOn
from video_worker.heartbeat import Heartbeat, Keeping
from video_worker.helping import Helper
from video_worker.job_analysis import Done, JobAnalysis
from video_worker.metrics import AttemptMetrics
from video_worker.parts import remove_parts
from video_worker.segments import Holder
from video_worker.speed_recorder import record_speed
from video_worker.stop_signal import StoppedError, StopSignal

_LONGEST_PAUSE_S = 60.0
_LONGEST_RETRY_DELAY_S = 900
_IDLE_PAUSE_S = 0.2
_BEATS_PER_LEASE = 3


class Outcome(StrEnum):
    """How one turn of the worker ended."""

    IDLE = "idle"
    SKIPPED = "skipped"
    COMPLETED = "completed"
    FAILED = "failed"
    RETURNED = "returned"
    LOST = "lost"
    HELPED = "helped"


class JobWorker:
    """A worker: `run_once` takes at most one job, `run_forever` works until it is told to stop.

    Parameters
    ----------
    protection
        Entered while a job runs (`video_worker.scale_in_protection`).
    heartbeat_type
        Makes the heartbeat that keeps the lease meanwhile.
    random
        Varies pauses, so that many workers do not call at the same time.
    pulse
        Called each time round the loop.
    understands
        The newest job format that this worker knows (`video_jobs.domain.formats`).
    wait
        Lets so many seconds pass while helpers compute.
    """

    def __init__(
        self,
        worker_id: str,
        app: VideoJobs,
        pipelines: AnalysisService,
        settings: WorkerSettings,
        stop: StopSignal,
        *,
        logger: Logger | None = None,
        protection: AbstractContextManager[None] | None = None,
        heartbeat_type: Callable[..., Heartbeat] = Heartbeat,
        random: Random | None = None,
        pulse: Callable[[], None] = lambda: None,
        understands: int = NEWEST_FORMAT,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._app = app
        self._pipelines = pipelines
        self._protection = protection or nullcontext()
        self._heartbeat_type = heartbeat_type
        self._random = random or Random()  # noqa: S311 - it only varies pauses
        self._pulse = pulse
        self._settings = settings
        self._stop = stop
        self._logger = logger or Logger()
        self._metrics = AttemptMetrics(app.ports.metrics, app.ports.clock)
        self._lease = timedelta(seconds=settings.lease_s)
        self._claimant = Claimant(worker_id=worker_id, lease=self._lease, understands=understands)
        self._pause_s = min(settings.heartbeat_s, settings.lease_s / _BEATS_PER_LEASE)
        self._helper = Helper(
            app,
            pipelines,
            settings,
            stop,
            self._claimant,
            pause_s=self._pause_s,
            logger=self._logger,
            protection=self._protection,
            heartbeat_type=heartbeat_type,
        )
        self._holder = Holder(app.help, self._claimant, app.ports.clock, wait, self._logger)
        # The queue may deliver a message to the poll of a worker that has just died. Therefore a message is
        # held only briefly until the first heartbeat, which holds it for a whole lease.
        self._first_visibility_s = ceil(self._pause_s * _BEATS_PER_LEASE)

    def run_forever(self) -> None:
        """Work until the stop signal; after each error in a row, pause longer."""
        errors = 0
        while not self._stop.requested.is_set():
            try:
                outcome = self.run_once(wait_s=self._settings.poll_wait_s)
                errors = 0
                if outcome is Outcome.IDLE and self._settings.poll_wait_s == 0:
                    self._stop.requested.wait(_IDLE_PAUSE_S)
            except Exception as error:  # noqa: BLE001 - the outermost loop: no job ends its worker
                errors += 1
                pause_s = min(_LONGEST_PAUSE_S, 2.0**errors) * self._random.uniform(0.5, 1.0)
                self._log_loop_error(error, pause_s)
                self._stop.requested.wait(pause_s)
        self._logger.info("worker stopped", action="worker_stopped")

    def run_once(self, wait_s: int = 0) -> Outcome:
        """Receive one message, waiting up to ``wait_s`` seconds for it, and run its job."""
        self._pulse()
        self._pipelines.prepare()
        message = self._app.ports.queue.dequeue(wait_s=wait_s, visibility_s=self._first_visibility_s)
        if message is None:
            return Outcome.IDLE
        asked = HelpMessage.of_body(message.body)
        if asked is not None:
            self._acknowledge(message)
            return Outcome.HELPED if self._helper.help(asked) else Outcome.SKIPPED
        claim = self._app.work.claim(message, self._claimant)
        if claim.job is None:
            self._decline(message, claim)
            return Outcome.SKIPPED
        self._logger.append_keys(job_id=claim.job.job_id, attempt=claim.job.attempt)
        try:
            with self._metrics.attempt(claim.job, claim.waited), self._protection:
                self._metrics.outcome = outcome = self._work(claim.job, message)
                return outcome
        finally:
            self._logger.remove_keys(["job_id", "attempt"])

    def _decline(self, message: QueueMessage, claim: Claim) -> None:
        self._logger.info(
            "message declined", action="message_declined", reason=claim.reason, job_id=message.body
        )
        if claim.verdict is Verdict.RETURN:
            self._return(message, claim.delay_s)
        else:
            self._acknowledge(message)

    def _work(self, job: Job, message: QueueMessage) -> Outcome:
        self._logger.info("job started", action="job_started", pipeline_id=job.options.pipeline_id)
        try:
            done = self._run_with_heartbeat(job, message)
        except LeaseLostError:
            return self._lost()
        except StoppedError:
            return self._give_back(job, message, count_failure=False, delay_s=0)
        except (TransientError, MemoryError, ConnectionError) as error:
            return self._retry_or_fail(job, message, error)
        except PermanentJobError as error:
            return self._fail(job, message, error)
        except Exception as error:
            self._logger.exception("pipeline failed", action="pipeline_failed")
            named = PipelineError(
                f"The pipeline {job.options.pipeline_id} failed on this video ({type(error).__name__})"
            )
            return self._fail(job, message, named)
        return self._end(message, lambda: self._app.work.complete(job, *done, self._metrics.usage_with_help))

    def _run_with_heartbeat(self, job: Job, message: QueueMessage) -> Done:
        keeping = Keeping.of_job(self._app, job, message, self._lease)
        clock, work_dir = self._app.ports.clock, self._settings.work_dir or None
        heartbeat = self._heartbeat_type(keeping, self._pause_s, clock, self._logger)
        with heartbeat, TemporaryDirectory(prefix="video-job-", dir=work_dir) as folder:
            limit = timedelta(seconds=self._settings.job_limit_s)
            keep_going = GoingOn(heartbeat.lost, self._stop, clock, limit)
            analysis = JobAnalysis(
                self._app, self._pipelines, self._holder, self._metrics, heartbeat, keep_going
            )
            return analysis.run(job, Path(folder))

    def _fail(self, job: Job, message: QueueMessage, error: VideoJobsError) -> Outcome:
        return self._end(message, lambda: self._app.work.fail(job, error, self._metrics.usage_with_help))

    def _end(self, message: QueueMessage, record: Callable[[], Job]) -> Outcome:
        """Record the end of the job; it does no harm if the message cannot be deleted afterwards."""
        try:
            ended = record()
        except LeaseLostError:
            return self._lost()
        timing = self._metrics.timing
        self._logger.info(
            "job ended",
            action=f"job_{ended.status}",
            frames=ended.progress.frames_done,
            error_code=ended.error and ended.error.code,
            warnings=[warning.message for warning in ended.warnings],
        )
        self._acknowledge(message)
        if ended.status is JobStatus.COMPLETED:
            self._remove_parts(ended)
            if not self._metrics.helped.frames:  # otherwise it does not tell what a job takes one worker
                record_speed(self._app, ended, timing, self._logger)
        return Outcome(str(ended.status))

    def _lost(self) -> Outcome:
        self._logger.warning("lease lost", action="lease_lost")
        return Outcome.LOST

    def _remove_parts(self, job: Job) -> None:
        """Done last, because until the end is recorded another worker may resume from the parts."""
        try:
            remove_parts(job.job_id, self._app.ports.storage)
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
            f"The job failed {job.failures + 1} times, the last time with: {reason}; try again later"
        )
        return self._fail(job, message, last)

    def _give_back(self, job: Job, message: QueueMessage, *, count_failure: bool, delay_s: int) -> Outcome:
        try:
            self._app.work.give_back(job, self._metrics.usage_with_help, count_failure=count_failure)
        except LeaseLostError:
            return Outcome.LOST
        self._return(message, delay_s)
        self._logger.info("job returned", action="job_returned", delay_s=delay_s)
        return Outcome.RETURNED

    def _acknowledge(self, message: QueueMessage) -> None:
        try:
            self._app.ports.queue.acknowledge(message)
        except (ReceiptExpiredError, TransientError) as error:
            self._logger.warning("message not deleted", action="acknowledge_failed", reason=error.message)

    def _return(self, message: QueueMessage, delay_s: int) -> None:
        try:
            self._app.ports.queue.return_message(message, delay_s)
        except (ReceiptExpiredError, TransientError) as error:  # then the queue delivers it again by itself
            self._logger.warning("message not returned", action="return_failed", reason=error.message)

    def _log_loop_error(self, error: Exception, pause_s: float) -> None:
        if isinstance(error, TransientError):
            self._logger.warning("AWS is away", action="aws_away", reason=error.message, pause_s=pause_s)
        else:
            self._logger.exception("unexpected error", action="worker_error", pause_s=pause_s)
