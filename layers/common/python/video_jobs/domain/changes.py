"""Every change that a job may go through, each with what must hold for it to be made.

A `Change` is plain data: new values, and an `Expected` that the stored job must still meet when the write
happens. The adapters make one conditional write of it. If two parties want to change the same job, only one
succeeds; the other gets a `ConflictError` and reads the job again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from video_jobs.domain.job import (
    ALLOWED_TRANSITIONS,
    Delivery,
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
from video_jobs.domain.webhooks import WebhookMessage

RECONCILE_GRACE = timedelta(minutes=2)
"""Time for the ordinary way (queue redelivery, a late event) before reconcile steps in."""

UPLOAD_GRACE = timedelta(hours=1)
"""A signed upload must begin before its URL expires; on a slow line a large file lands long after that."""

QUEUE_RETENTION = timedelta(days=13)
"""SQS keeps messages for 14 days; a job that waits longer than this is sent again."""

POSTPONED = timedelta(minutes=5)
"""When a job is sent again that the worker which received it does not understand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the stored job must still be; a field that is None (or empty) is not compared."""

    status: JobStatus
    generation: int | None = None
    attempt: int | None = None
    worker_id: str | None = None
    lease_free_at: datetime | None = None
    upload_state: UploadState | None = None
    delivery_not: frozenset[DeliveryState] = frozenset()

    def is_met_by(self, job: Job) -> bool:
        """Whether ``job`` is as expected; the same rules that adapters put into a condition."""
        return (
            job.status == self.status
            and self.generation in (None, job.generation)
            and self.attempt in (None, job.attempt)
            and self.worker_id in (None, job.worker_id)
            and (self.lease_free_at is None or not job.is_held(self.lease_free_at))
            and self.upload_state in (None, job.upload.state)
            and (job.delivery is None or job.delivery.state not in self.delivery_not)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of one job: ``values`` holds the fields that get a new value.

    Raises
    ------
    ValueError
        If it would lead from one status to another that `ALLOWED_TRANSITIONS` does not name.
    """

    job_id: str
    action: str
    expected: Expected
    values: JobChanges

    def __post_init__(self) -> None:
        before = self.expected.status
        after = self.values.get("status", before)
        if after != before and after not in ALLOWED_TRANSITIONS[before]:
            raise ValueError(f"{self.action}: {before} -> {after} is not allowed")

    def apply(self, job: Job) -> Job:
        """The job after the change."""
        return replace(job, **self.values)


def accept_upload(job: Job, *, version: str | None, size_bytes: int, now: datetime) -> Change:
    """The video has arrived and looks like an MP4: from now on the service owes the job an end."""
    accepted = replace(job.upload, state=UploadState.ACCEPTED, version=version, size_bytes=size_bytes)
    return Change(
        job_id=job.job_id,
        action="accept_upload",
        expected=Expected(
            status=JobStatus.PENDING, generation=job.generation, upload_state=UploadState.AWAITING
        ),
        values={"upload": accepted, "updated_at": now, **_to_be_sent(job, now)},
    )


def expect_upload(job: Job, *, until: datetime, now: datetime) -> Change:
    """The client was given another signed upload: wait for it."""
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
    """The message of this generation is in the queue."""
    return Change(
        job_id=job.job_id,
        action="mark_queued",
        expected=Expected(status=JobStatus.PENDING, generation=job.generation),
        values={"queued_at": now, "due_at": now + QUEUE_RETENTION},
    )


def postpone(job: Job, *, now: datetime) -> Change:
    """A worker that does not understand the job leaves it to others; reconcile sends it again soon.

    The new generation makes every message and every reading of the job out of date, so that no other worker
    takes it on the strength of a message that this one acknowledges.
    """
    taken_back = job.status is JobStatus.RUNNING
    touched: JobChanges = {"updated_at": now} if taken_back else {}
    return Change(
        job_id=job.job_id,
        action="postpone",
        expected=Expected(
            status=job.status, generation=job.generation, attempt=job.attempt, lease_free_at=now
        ),
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
    """A worker takes the job: a pending one, or a running one whose lease has ended."""
    taken_over = job.status is JobStatus.RUNNING
    return Change(
        job_id=job.job_id,
        action="claim",
        expected=Expected(
            status=job.status,
            generation=job.generation,
            attempt=job.attempt,
            lease_free_at=now,
            upload_state=UploadState.ACCEPTED,
        ),
        values={
            "status": JobStatus.RUNNING,
            "attempt": job.attempt + 1,
            "crashes": job.crashes + int(taken_over),
            "updated_at": now,
            **_leased(Lease(worker_id, now + lease)),
        },
    )


def heartbeat(job: Job, *, lease: timedelta, progress: Progress, now: datetime) -> Change:
    """The worker is alive, and has come this far."""
    renewed = Lease(job.worker_id or "", now + lease)
    return Change(
        job_id=job.job_id,
        action="heartbeat",
        expected=_held_by_worker(job),
        values={"progress": progress, "updated_at": now, **_leased(renewed)},
    )


def record_fingerprint(job: Job, *, fingerprint: Mapping[str, Any], now: datetime) -> Change:
    """The worker says what it computes with, before the first frame."""
    return Change(
        job_id=job.job_id,
        action="record_fingerprint",
        expected=_held_by_worker(job),
        values={"fingerprint": dict(fingerprint), "updated_at": now},
    )


def complete(
    job: Job, *, output: Output, frames: int, warnings: tuple[str, ...], keep: timedelta, now: datetime
) -> Change:
    """The results are stored."""
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
    """The worker that holds the job gives it up for good."""
    return Change(
        job_id=job.job_id,
        action="fail",
        expected=_held_by_worker(job),
        values=_failed(failure, keep, now),
    )


def fail_unheld(job: Job, failure: Failure, *, keep: timedelta, now: datetime) -> Change:
    """Fail an open job that no worker holds: a refused upload, a dead letter, an expired lease."""
    return Change(
        job_id=job.job_id,
        action="fail",
        expected=Expected(
            status=job.status, generation=job.generation, attempt=job.attempt, lease_free_at=now
        ),
        values=_failed(failure, keep, now),
    )


def cancel(job: Job, *, keep: timedelta, now: datetime) -> Change:
    """The owner ends an open job, whoever holds it."""
    return Change(
        job_id=job.job_id,
        action="cancel",
        expected=Expected(status=job.status, generation=job.generation, attempt=job.attempt),
        values=_failed(Failure("cancelled", "The job was cancelled"), keep, now),
    )


def retry(job: Job, *, now: datetime) -> Change:
    """The owner asks for a failed job once more: as if it were new, from its finished parts on."""
    return Change(
        job_id=job.job_id,
        action="retry",
        expected=Expected(
            status=JobStatus.FAILED, generation=job.generation, upload_state=UploadState.ACCEPTED
        ),
        values={
            "status": JobStatus.PENDING,
            "error": None,
            "failures": 0,
            "crashes": 0,
            "expires_at": None,
            "delivery": None,
            "updated_at": now,
            **_to_be_sent(job, now),
        },
    )


def record_delivery(message: WebhookMessage, delivery: Delivery) -> Change:
    """How a call went that tells of an end of the job. A call that was delivered stays delivered."""
    return _delivery(message, delivery, frozenset({DeliveryState.DELIVERED}))


def give_up_delivery(message: WebhookMessage, delivery: Delivery) -> Change:
    """The last call ended without a record. If the job says already how it went, that stays."""
    return _delivery(message, delivery, frozenset({DeliveryState.DELIVERED, DeliveryState.FAILED}))


def _delivery(message: WebhookMessage, delivery: Delivery, final: frozenset[DeliveryState]) -> Change:
    return Change(
        job_id=message.job_id,
        action="record_delivery",
        expected=Expected(
            status=JobStatus(message.status), generation=message.generation, delivery_not=final
        ),
        values={"delivery": delivery},
    )


def give_back(job: Job, *, count_failure: bool, now: datetime) -> Change:
    """The worker that holds the job lets it go; its message stays in the queue."""
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
    """Reconcile takes a job from a worker that vanished, and has it sent again."""
    return Change(
        job_id=job.job_id,
        action="take_back",
        expected=Expected(
            status=JobStatus.RUNNING, generation=job.generation, attempt=job.attempt, lease_free_at=now
        ),
        values={
            "status": JobStatus.PENDING,
            "crashes": job.crashes + 1,
            "updated_at": now,
            "lease": None,
            **_to_be_sent(job, now),
        },
    )


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


def _failed(failure: Failure, keep: timedelta, now: datetime) -> JobChanges:
    return {"status": JobStatus.FAILED, "error": failure, **_ended(keep, now)}
