"""Use cases for the workers: claim a job, keep it, end it or give it back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil
from typing import Any

from video_jobs.domain import changes
from video_jobs.domain.changes import Change
from video_jobs.domain.errors import ConflictError, VideoJobsError
from video_jobs.domain.formats import NEWEST_FORMAT
from video_jobs.domain.job import Failure, Job, JobStatus, Output, Progress, UploadState, is_job_id
from video_jobs.domain.usage import Usage
from video_jobs.domain.video import JobWarning, VideoFacts
from video_jobs.ports import QueueMessage
from video_jobs.use_cases.base import UseCases

_LOOK_AGAIN_S = 1


class Verdict(StrEnum):
    """What to do with a message."""

    WORK = "work"
    ACKNOWLEDGE = "acknowledge"
    RETURN = "return"


@dataclass(frozen=True, slots=True)
class Claim:
    """The verdict on a message; ``job`` and ``waited`` go with WORK, ``delay_s`` with RETURN.

    ``waited`` is the time since the job was made ready or an earlier attempt was last heard of.
    """

    verdict: Verdict
    reason: str
    job: Job | None = None
    delay_s: int = 0
    waited: timedelta = timedelta()


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimant:
    """The worker that asks for a job.

    Attributes
    ----------
    lease
        How long it keeps a job without a heartbeat.
    understands
        The newest job format that it understands (`domain.formats`).
    """

    worker_id: str
    lease: timedelta
    understands: int = NEWEST_FORMAT


class LeaseLostError(Exception):
    """The worker no longer holds the job: another worker took it over, or it was ended."""


class Work(UseCases):
    """Use cases of a worker: `claim` gives it a job, all others take a job that it holds.

    The others raise `LeaseLostError` and change nothing if the worker no longer holds the job. Those that end
    the attempt take what it ``used``, and add it with its cost to what the earlier ones used.
    """

    def claim(self, message: QueueMessage, claimant: Claimant) -> Claim:
        """Claim the job of ``message``, or say what to do with the message instead."""
        job = self._ports.jobs.get_by_id(message.body) if is_job_id(message.body) else None
        if job is None:
            return Claim(Verdict.ACKNOWLEDGE, "unknown job")
        refusal = _refusal(job, message, self._now())
        if refusal is not None:
            return refusal
        try:
            if job.status is JobStatus.RUNNING and job.crashes + 1 >= self._rules.max_crashes:
                failure = too_many_crashes(job.crashes + 1)
                change = changes.fail_unheld(job, failure, keep=self._rules.keep, now=self._now())
                self._turns.end(job, change)
                return Claim(Verdict.ACKNOWLEDGE, "too many crashes")
            if job.needs > claimant.understands or job.awaits_source:
                self._ports.jobs.update_status(changes.postpone(job, now=self._now()))
                lack = "its video" if job.awaits_source else "a newer worker"
                return Claim(Verdict.ACKNOWLEDGE, f"needs {lack}")
            waited = max(timedelta(), self._now() - job.updated_at)
            return Claim(Verdict.WORK, "claimed", self._claimed(job, claimant), waited=waited)
        except ConflictError:
            return Claim(Verdict.RETURN, "changed meanwhile", delay_s=_LOOK_AGAIN_S)

    def heartbeat(self, job: Job, lease: timedelta, progress: Progress) -> None:
        """Extend the lease and record the progress."""
        self._change(changes.heartbeat(job, lease=lease, progress=progress, now=self._now()))

    def record_opening(
        self, job: Job, *, fingerprint: Mapping[str, Any], video: VideoFacts, progress: Progress
    ) -> Job:
        """Record what the results will be computed with, the video, which was opened, and the progress.

        The progress belongs to the fingerprint: it counts what earlier attempts with the same one finished.
        """
        change = changes.record_opening(
            job, fingerprint=fingerprint, video=video, progress=progress, now=self._now()
        )
        return self._change(change)

    def complete(
        self, job: Job, output: Output, frames: int, warnings: tuple[JobWarning, ...], used: Usage
    ) -> Job:
        """End the job as completed, after its results were stored."""
        change = changes.complete(
            job, output=output, frames=frames, warnings=warnings, keep=self._rules.keep, now=self._now()
        )
        return self._end(job, change, used)

    def fail(self, job: Job, error: VideoJobsError, used: Usage) -> Job:
        """End the job as failed, because it cannot succeed or was tried often enough."""
        failure = Failure(error.code, error.message)
        change = changes.fail_running(job, failure, keep=self._rules.keep, now=self._now())
        return self._end(job, change, used)

    def give_back(self, job: Job, used: Usage, *, count_failure: bool) -> Job:
        """Release the job for another worker; its message stays in the queue."""
        change = changes.give_back(job, count_failure=count_failure, now=self._now())
        return self._change(self._with_usage(job, change, used))

    def _end(self, job: Job, change: Change, used: Usage) -> Job:
        try:
            return self._turns.end(job, self._with_usage(job, change, used))
        except ConflictError as exc:
            raise LeaseLostError from exc

    def _with_usage(self, job: Job, change: Change, used: Usage) -> Change:
        total = used.priced(self._rules.worker_usd_per_hour).added_to(job.usage)
        return replace(change, values={**change.values, "usage": total})

    def _claimed(self, job: Job, claimant: Claimant) -> Job:
        change = changes.claim(job, worker_id=claimant.worker_id, lease=claimant.lease, now=self._now())
        return self._ports.jobs.update_status(change)

    def _change(self, change: Change) -> Job:
        try:
            return self._ports.jobs.update_status(change)
        except ConflictError as exc:
            raise LeaseLostError from exc


def too_many_crashes(crashes: int) -> Failure:
    """The failure of a job on which too many workers vanished."""
    message = f"The job was given up: {crashes} workers died on it. Convert the video."
    return Failure("worker_crashed", message)


def _refusal(job: Job, message: QueueMessage, now: datetime) -> Claim | None:
    if not job.status.is_open:
        return Claim(Verdict.ACKNOWLEDGE, "job has ended")
    if message.generation < job.generation or job.upload.state is UploadState.AWAITING:
        return Claim(Verdict.ACKNOWLEDGE, "older generation")
    if job.lease is not None and job.lease.is_live(now):
        left_s = ceil((job.lease.expires_at - now).total_seconds())
        return Claim(Verdict.RETURN, "another worker holds the job", delay_s=left_s)
    return None
