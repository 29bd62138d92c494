"""Help another worker with a long video: compute one segment of its job."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from aws_lambda_powertools import Logger
from video_jobs.application import VideoJobs
from video_jobs.domain.errors import ConflictError, TransientError, VideoJobsError
from video_jobs.domain.job import Job, Progress
from video_jobs.domain.parts import fingerprint_id_of
from video_jobs.domain.segments import HelpMessage, Segment
from video_jobs.domain.usage import Usage
from video_jobs.settings import WorkerSettings
from video_jobs.use_cases.work import Claimant, LeaseLostError

from video_worker.analysis import AnalysedFrame, AnalysisService, KeepGoing, RunRequest
from video_worker.fetching import fetch_for, request_of
from video_worker.going_on import GoingOn
from video_worker.heartbeat import Heartbeat, Keeping
from video_worker.part_runs import PartRuns, opener
from video_worker.parts import StoredParts
from video_worker.stop_signal import StoppedError, StopSignal

_NO_FINGERPRINT = "none"


@dataclass(slots=True)
class _Done:
    """What a helper has done for a segment until now."""

    frames: int = 0
    fetched_bytes: int = 0


class Helper:
    """A worker as a helper: `help` computes at most one segment.

    What goes wrong here only leaves the segment to others; the holder of the job tells its errors.

    Parameters
    ----------
    protection, heartbeat_type
        As `JobWorker` has them.
    pause_s
        Seconds between heartbeats.
    """

    def __init__(
        self,
        app: VideoJobs,
        pipelines: AnalysisService,
        settings: WorkerSettings,
        stop: StopSignal,
        claimant: Claimant,
        *,
        pause_s: float,
        logger: Logger,
        protection: AbstractContextManager[None],
        heartbeat_type: Callable[..., Heartbeat],
    ) -> None:
        self._app, self._pipelines, self._settings, self._stop = app, pipelines, settings, stop
        self._claimant = claimant
        self._pause_s = pause_s
        self._logger = logger
        self._protection = protection
        self._heartbeat_type = heartbeat_type

    def help(self, asked: HelpMessage) -> bool:
        """Whether a segment was computed to its end."""
        claim = self._app.help.claim(asked, self._claimant, self._fingerprint_of)
        if claim.job is None or claim.segment is None:
            self._logger.info("no help", action="help_declined", reason=claim.reason, job_id=asked.job_id)
            return False
        self._logger.append_keys(job_id=asked.job_id, segment=claim.segment.number)
        try:
            with self._protection:
                return self._work(claim.job, claim.segment)
        finally:
            self._logger.remove_keys(["job_id", "segment"])

    def _fingerprint_of(self, job: Job) -> str:
        try:
            return str(self._pipelines.fingerprint(job.options.pipeline_id, job.options.text)["id"])
        except VideoJobsError as error:  # the holder has a pipeline or an engine that this worker lacks
            self._logger.info("no fingerprint", action="help_declined", reason=error.message)
            return _NO_FINGERPRINT

    def _work(self, job: Job, segment: Segment) -> bool:
        started = self._app.ports.clock.now()
        done = _Done()
        self._logger.info("help started", action="help_started", parts=segment.part_count)
        try:
            self._compute(job, segment, done)
            self._app.help.finish(segment, self._used(done, started))
        except (LeaseLostError, ConflictError):
            self._logger.info("help is not wanted any more", action="help_lost")
            return False
        except StoppedError:
            return self._give_back(segment, done, started, "stopped")
        except Exception as error:  # noqa: BLE001 - the holder meets the same error, and tells it
            return self._give_back(segment, done, started, repr(error))
        self._logger.info("help ended", action="help_ended", frames=done.frames)
        return True

    def _compute(self, job: Job, segment: Segment, done: _Done) -> None:
        """Store all parts of a segment that are not stored yet."""
        keeping = Keeping(
            self._claimant.lease,
            lambda progress: self._app.help.keep(job, segment, self._claimant.lease, progress.parts_done),
        )
        heartbeat = self._heartbeat_type(keeping, self._pause_s, self._app.ports.clock, self._logger)
        prefix, folder = "video-help-", self._settings.work_dir or None
        with heartbeat, TemporaryDirectory(prefix=prefix, dir=folder) as place:
            limit = timedelta(seconds=self._settings.job_limit_s)
            keep_going = GoingOn(heartbeat.lost, self._stop, self._app.ports.clock, limit)
            stored = StoredParts(job, fingerprint_id_of(job) or "", self._app.ports.storage)
            if missing := stored.missing(segment):
                fetched = fetch_for(job, segment, Path(place), stored, self._app.ports.storage)
                done.fetched_bytes = fetched.size_bytes
                request = replace(
                    request_of(job, fetched.video), end_part=segment.parts.stop, excerpt=fetched.excerpt
                )
                path = Path(place) / "part.jsonl"
                with closing(self._runs(request, missing[0], keep_going)) as runs:
                    for number in missing:
                        done.frames += _write(runs, number, path)
                        keep_going()
                        stored.save(number, path)
                        heartbeat.progress = Progress(parts_done=number - segment.first_part + 1)

    def _runs(self, request: RunRequest, first: int, keep_going: KeepGoing) -> PartRuns:
        open_run = opener(self._pipelines, request, keep_going)
        run = open_run(first, first * request.part_frames)
        return PartRuns(run, first, request.part_frames, open_run)

    def _give_back(self, segment: Segment, done: _Done, started: datetime, reason: str) -> bool:
        self._logger.info("help given up", action="help_given_up", reason=reason)
        try:
            self._app.help.give_back(segment, self._used(done, started))
        except (ConflictError, TransientError) as error:
            self._logger.warning("segment not released", action="release_failed", reason=repr(error))
        return False

    def _used(self, done: _Done, started: datetime) -> Usage:
        lasted = self._app.ports.clock.now() - started
        return Usage.of_attempt(lasted, frames=done.frames, fetched_bytes=done.fetched_bytes)


def _write(runs: PartRuns, number: int, path: Path) -> int:
    """Write one part, and return how many frames it has."""
    frames = 0
    with path.open("wb") as file:
        for item, line in runs.lines(number):
            file.write(line)
            frames += isinstance(item, AnalysedFrame)
    return frames
