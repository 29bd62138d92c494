"""The changes that a job may go through, each with the conditions under which it is made.

`delivery_changes` and `fetch_changes` have those of webhooks and of videos that the service fetches.

A `Change` is plain data: new values, and an `Expected` that the stored job must meet when the change is
written. Adapters make it in one conditional write. If two parties want to change the same job, only one
succeeds; the other gets a `ConflictError` and reads the job again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from video_jobs.domain.accounts import Move, Place
from video_jobs.domain.job import (
    ALLOWED_TRANSITIONS,
    DeliveryState,
    Failure,
    Job,
    JobChanges,
    JobStatus,
    Lease,
    Output,
    Progress,
    UploadState,
)
from video_jobs.domain.video import JobWarning, VideoFacts

RECONCILE_GRACE = timedelta(minutes=2)
"""How long reconcile leaves a job to the queue's redelivery or to a late event."""

UPLOAD_GRACE = timedelta(hours=1)
"""How long to wait after a signature expires: an upload that began before may end long after."""

QUEUE_RETENTION = timedelta(days=13)
"""A job that waits longer is sent again, because SQS keeps messages for 14 days only."""

POSTPONED = timedelta(minutes=5)
"""How long until a postponed job is sent again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What must hold for the stored job; a field that is None or empty is not compared."""

    status: JobStatus
    generation: int | None = None
    attempt: int | None = None
    worker_id: str | None = None
    lease_free_at: datetime | None = None
    upload_state: UploadState | None = None
    multipart_id: str | None = None
    place: Place | None = None
    delivery_not: frozenset[DeliveryState] = frozenset()

    def is_met_by(self, job: Job) -> bool:
        """Whether ``job`` is as expected, by the rules that adapters put into a condition."""
        return (
            job.status == self.status
            and self.generation in (None, job.generation)
            and self.attempt in (None, job.attempt)
            and self.worker_id in (None, job.worker_id)
            and (self.lease_free_at is None or not job.is_held(self.lease_free_at))
            and self.upload_state in (None, job.upload.state)
            and self.multipart_id in (None, job.upload.multipart_id)
            and self.place in (None, job.place)
            and (job.delivery is None or job.delivery.state not in self.delivery_not)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of one job: ``values`` holds the fields that get a new value.

    With a ``move``, the job must be in the place that it leaves, and its owner's account is changed, too.

    Raises
    ------
    ValueError
        If `ALLOWED_TRANSITIONS` does not contain the change of the status.
    """

    job_id: str
    action: str
    expected: Expected
    values: JobChanges
    move: Move | None = None

    def __post_init__(self) -> None:
        before = self.expected.status
        after = self.values.get("status", before)
        if after != before and after not in ALLOWED_TRANSITIONS[before]:
            raise ValueError(f"{self.action}: {before} -> {after} is not allowed")

    def is_possible(self, job: Job) -> bool:
        """Whether ``job`` is as expected, and in the place that it leaves."""
        return self.expected.is_met_by(job) and (self.move is None or self.move.before is job.place)

    def apply(self, job: Job) -> Job:
        """The job after the change."""
        return replace(job, **self.values)


def accept_upload(job: Job, *, version: str | None, size_bytes: int, now: datetime) -> Change:
    """Accept the video, which has arrived and starts as an MP4 or MOV does; the job is to be sent."""
    accepted = replace(
        job.upload, state=UploadState.ACCEPTED, source=None, version=version, size_bytes=size_bytes
    )
    return Change(
        job_id=job.job_id,
        action="accept_upload",
        expected=_awaiting(job),
        values={"upload": accepted, "lease": None, "updated_at": now, **_to_be_sent(job, now)},
    )


def refuse_upload(job: Job, failure: Failure, *, keep: timedelta, now: datetime) -> Change:
    """Fail a job whose video has arrived and is none that is taken."""
    return Change(
        job_id=job.job_id, action="fail", expected=_awaiting(job), values=_failed(job, failure, keep, now)
    )


def expect_upload(job: Job, *, until: datetime, now: datetime) -> Change:
    """Wait longer for the video, because the client was given a new signature."""
    return Change(
        job_id=job.job_id,
        action="expect_upload",
        expected=Expected(status=JobStatus.PENDING, upload_state=UploadState.AWAITING),
        values={"due_at": until, "updated_at": now},
    )


def requeue(job: Job, *, now: datetime) -> Change:
    """Send an accepted, pending job again, because its message may be lost."""
    return Change(
        job_id=job.job_id,
        action="requeue",
        expected=Expected(
            status=JobStatus.PENDING, generation=job.generation, upload_state=UploadState.ACCEPTED
        ),
        values={"updated_at": now, **_to_be_sent(job, now)},
    )


def mark_queued(job: Job, *, now: datetime) -> Change:
    """Record that the message of this generation was sent."""
    return Change(
        job_id=job.job_id,
        action="mark_queued",
        expected=Expected(status=JobStatus.PENDING, generation=job.generation),
        values={"queued_at": now, "due_at": now + QUEUE_RETENTION},
    )


def postpone(job: Job, *, now: datetime) -> Change:
    """Leave the job to newer workers, because this one does not understand it; reconcile sends it again.

    The new generation makes every message and every copy of the job out of date. Otherwise another worker
    could claim the job with the message that this one acknowledges.
    """
    taken_back = job.status is JobStatus.RUNNING
    touched: JobChanges = {"updated_at": now} if taken_back else {}
    return Change(
        job_id=job.job_id,
        action="postpone",
        expected=_unheld(job, now),
        values={
            "status": JobStatus.PENDING,
            "crashes": job.crashes + int(taken_back),
            "lease": None,
            **touched,
            **_to_be_sent(job, now),
            "due_at": now + POSTPONED,
        },
    )


def claim(job: Job, *, worker_id: str, lease: timedelta, now: datetime) -> Change:
    """Give a worker a pending job, or a running one whose lease has ended."""
    taken_over = job.status is JobStatus.RUNNING
    return Change(
        job_id=job.job_id,
        action="claim",
        expected=replace(_unheld(job, now), upload_state=UploadState.ACCEPTED),
        values={
            "status": JobStatus.RUNNING,
            "attempt": job.attempt + 1,
            "crashes": job.crashes + int(taken_over),
            "updated_at": now,
            **_leased(Lease(worker_id, now + lease)),
        },
    )


def heartbeat(job: Job, *, lease: timedelta, progress: Progress, now: datetime) -> Change:
    """Extend the worker's lease, and record its progress."""
    renewed = Lease(job.worker_id or "", now + lease)
    return Change(
        job_id=job.job_id,
        action="heartbeat",
        expected=_held_by_worker(job),
        values={"progress": progress, "updated_at": now, **_leased(renewed)},
    )


def record_opening(
    job: Job, *, fingerprint: Mapping[str, Any], video: VideoFacts, progress: Progress, now: datetime
) -> Change:
    """Record what the worker computes with, the video that it opened, and what earlier attempts finished."""
    return Change(
        job_id=job.job_id,
        action="record_opening",
        expected=_held_by_worker(job),
        values={"fingerprint": dict(fingerprint), "video": video, "progress": progress, "updated_at": now},
    )


def complete(
    job: Job, *, output: Output, frames: int, warnings: tuple[JobWarning, ...], keep: timedelta, now: datetime
) -> Change:
    """End the job as completed; its results are stored."""
    return Change(
        job_id=job.job_id,
        action="complete",
        expected=_held_by_worker(job),
        values={
            "status": JobStatus.COMPLETED,
            "output": output,
            "progress": Progress(frames, frames),
            "warnings": warnings,
            **_ended(keep, now),
        },
    )


def fail_running(job: Job, failure: Failure, *, keep: timedelta, now: datetime) -> Change:
    """Fail a job for good, by the worker that holds it."""
    return Change(
        job_id=job.job_id,
        action="fail",
        expected=_held_by_worker(job),
        values=_failed(job, failure, keep, now),
    )


def fail_unheld(job: Job, failure: Failure, *, keep: timedelta, now: datetime) -> Change:
    """Fail an open job that nobody holds: a dead letter, an expired lease, a video that never came."""
    return Change(
        job_id=job.job_id, action="fail", expected=_unheld(job, now), values=_failed(job, failure, keep, now)
    )


def cancel(job: Job, *, keep: timedelta, now: datetime) -> Change:
    """End an open job for its owner, even if a worker holds it."""
    return Change(
        job_id=job.job_id,
        action="cancel",
        expected=_unchanged(job),
        values=_failed(job, Failure("cancelled", "The job was cancelled"), keep, now),
    )


def retry(job: Job, *, now: datetime) -> Change:
    """Run a failed job again, as if it were new but for its finished parts."""
    return Change(
        job_id=job.job_id,
        action="retry",
        expected=Expected(
            status=JobStatus.FAILED, generation=job.generation, upload_state=UploadState.ACCEPTED
        ),
        values={
            "status": JobStatus.PENDING,
            "error": None,
            "retries": job.retries + 1,
            "failures": 0,
            "crashes": 0,
            "expires_at": None,
            "delivery": None,
            "updated_at": now,
            **_to_be_sent(job, now),
        },
    )


def give_back(job: Job, *, count_failure: bool, now: datetime) -> Change:
    """Release the job, by the worker that holds it; its message stays in the queue."""
    return Change(
        job_id=job.job_id,
        action="give_back",
        expected=_held_by_worker(job),
        values={
            "status": JobStatus.PENDING,
            "failures": job.failures + int(count_failure),
            "updated_at": now,
            "due_at": now + QUEUE_RETENTION,
            "lease": None,
        },
    )


def take_back(job: Job, *, now: datetime) -> Change:
    """Take the job from a worker that vanished; it is to be sent again."""
    return Change(
        job_id=job.job_id,
        action="take_back",
        expected=replace(_unheld(job, now), status=JobStatus.RUNNING),
        values={
            "status": JobStatus.PENDING,
            "crashes": job.crashes + 1,
            "updated_at": now,
            "lease": None,
            **_to_be_sent(job, now),
        },
    )


def _unchanged(job: Job) -> Expected:
    """A fetch may begin another multipart upload at any time, and who ends the job must know the newest."""
    fetched = job.upload.multipart_id if job.upload.state is UploadState.FETCHING else None
    return Expected(status=job.status, generation=job.generation, attempt=job.attempt, multipart_id=fetched)


def _awaiting(job: Job) -> Expected:
    return replace(_unchanged(job), status=JobStatus.PENDING, upload_state=job.upload.state)


def _unheld(job: Job, now: datetime) -> Expected:
    return replace(_unchanged(job), lease_free_at=now)


def _held_by_worker(job: Job) -> Expected:
    return Expected(
        status=JobStatus.RUNNING,
        generation=job.generation,
        attempt=job.attempt,
        worker_id=job.worker_id,
    )


def _to_be_sent(job: Job, now: datetime) -> JobChanges:
    return {"generation": job.generation + 1, "queued_at": None, "due_at": now + RECONCILE_GRACE}


def _leased(lease: Lease) -> JobChanges:
    return {"lease": lease, "due_at": lease.expires_at + RECONCILE_GRACE}


def _ended(keep: timedelta, now: datetime) -> JobChanges:
    return {"updated_at": now, "due_at": None, "expires_at": now + keep, "lease": None}


def _failed(job: Job, failure: Failure, keep: timedelta, now: datetime) -> JobChanges:
    failed: JobChanges = {"status": JobStatus.FAILED, "error": failure, **_ended(keep, now)}
    if job.upload.source is not None:  # its URL, which may be a signature, is needed no more
        failed["upload"] = replace(job.upload, state=UploadState.AWAITING, source=None)
    return failed
