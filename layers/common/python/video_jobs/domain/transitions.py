"""Every change that a job may go through, each with what must hold for it to be made.

A `Transition` is plain data: what to change, and an `Expected` that the stored item must still meet
when the write happens. The adapters turn it into one conditional write, so of two parties that want
to change the same job only one succeeds; the other gets `ConflictError` and reads again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from video_jobs.domain.job import ALLOWED_TRANSITIONS, Job, JobStatus, UploadState
from video_jobs.domain.webhooks import WebhookMessage, WebhookState

RECONCILE_GRACE = timedelta(minutes=2)
"""How long the ordinary way (queue redelivery, a late event) goes first before reconcile steps in."""

UPLOAD_GRACE = timedelta(hours=1)
"""A signed upload must begin before it expires; a large file on a slow line still lands long after that."""

QUEUE_RETENTION = timedelta(days=13)
"""After this time the queue may have dropped a message (it keeps them 14 days), so it is sent again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the stored job must still be; a field that is None (or empty) is not looked at."""

    status: JobStatus
    generation: int | None = None
    attempt: int | None = None
    lease_owner: str | None = None
    lease_free_at: datetime | None = None
    upload_state: UploadState | None = None
    webhook_not: frozenset[WebhookState] = frozenset()

    def is_met_by(self, job: Job) -> bool:
        """Whether ``job`` is as expected; the same rules that adapters put into a condition."""
        return (
            job.status == self.status
            and self.generation in (None, job.generation)
            and self.attempt in (None, job.attempt)
            and self.lease_owner in (None, job.lease_owner)
            and (self.lease_free_at is None or not job.lease_is_live(self.lease_free_at))
            and self.upload_state in (None, job.upload_state)
            and job.webhook_state not in self.webhook_not
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One change of a job: ``changes`` maps field names to new values, None removes one."""

    action: str
    expected: Expected
    changes: Mapping[str, Any]

    def __post_init__(self) -> None:
        after = self.changes.get("status", self.expected.status)
        if after != self.expected.status and after not in ALLOWED_TRANSITIONS[self.expected.status]:
            raise ValueError(f"{self.action}: {self.expected.status} -> {after} is not allowed")

    def apply(self, job: Job) -> Job:
        """The job after the change."""
        return replace(job, **self.changes)


_NO_LEASE: Mapping[str, Any] = {"lease_owner": None, "lease_expires_at": None}


def accept_upload(job: Job, *, version: str | None, size_bytes: int, now: datetime) -> Transition:
    """The video is there and looks like an MP4: from now on the service owes the job an end."""
    return Transition(
        action="accept_upload",
        expected=Expected(
            status=JobStatus.PENDING, generation=job.generation, upload_state=UploadState.AWAITING
        ),
        changes={
            "upload_state": UploadState.ACCEPTED,
            "input_version": version,
            "input_bytes": size_bytes,
            "updated_at": now,
            **_to_be_sent(job, now),
        },
    )


def expect_upload(job: Job, *, until: datetime, now: datetime) -> Transition:
    """The client was given another signed upload: wait for it."""
    return Transition(
        action="expect_upload",
        expected=Expected(status=JobStatus.PENDING, upload_state=UploadState.AWAITING),
        changes={"due_at": until, "updated_at": now},
    )


def requeue(job: Job, *, now: datetime) -> Transition:
    """Send an accepted, pending job again, because its message may be lost."""
    return Transition(
        action="requeue",
        expected=Expected(
            status=JobStatus.PENDING, generation=job.generation, upload_state=UploadState.ACCEPTED
        ),
        changes={"updated_at": now, **_to_be_sent(job, now)},
    )


def mark_queued(job: Job, *, now: datetime) -> Transition:
    """The message of this generation is in the queue."""
    return Transition(
        action="mark_queued",
        expected=Expected(status=JobStatus.PENDING, generation=job.generation),
        changes={"queued_at": now, "due_at": now + QUEUE_RETENTION},
    )


def claim(job: Job, *, worker_id: str, lease: timedelta, now: datetime) -> Transition:
    """A worker takes the job: a pending one, or a running one whose lease has ended."""
    taken_over = job.status is JobStatus.RUNNING
    return Transition(
        action="claim",
        expected=Expected(
            status=job.status,
            generation=job.generation,
            attempt=job.attempt,
            lease_free_at=now,
            upload_state=UploadState.ACCEPTED,
        ),
        changes={
            "status": JobStatus.RUNNING,
            "attempt": job.attempt + 1,
            "crashes": job.crashes + int(taken_over),
            "updated_at": now,
            **_lease(worker_id, lease, now),
        },
    )


def heartbeat(
    job: Job, *, lease: timedelta, frames_done: int, frames_total: int | None, now: datetime
) -> Transition:
    """The worker is alive and this far."""
    return Transition(
        action="heartbeat",
        expected=_held_by_worker(job),
        changes={
            "frames_done": frames_done,
            "frames_total": frames_total,
            "updated_at": now,
            **_lease(job.lease_owner, lease, now),
        },
    )


def record_fingerprint(job: Job, *, fingerprint: Mapping[str, Any], now: datetime) -> Transition:
    """The worker says what it computes with, before the first frame."""
    return Transition(
        action="record_fingerprint",
        expected=_held_by_worker(job),
        changes={"fingerprint": dict(fingerprint), "updated_at": now},
    )


def complete(
    job: Job,
    *,
    output_path: str,
    output_version: str | None,
    output_index_version: str | None,
    frames_done: int,
    warnings: tuple[str, ...],
    keep: timedelta,
    now: datetime,
) -> Transition:
    """The results are stored."""
    return Transition(
        action="complete",
        expected=_held_by_worker(job),
        changes={
            "status": JobStatus.COMPLETED,
            "output_path": output_path,
            "output_version": output_version,
            "output_index_version": output_index_version,
            "frames_done": frames_done,
            "frames_total": frames_done,
            "warnings": warnings,
            **_ended(keep, now),
        },
    )


def fail_running(job: Job, *, code: str, message: str, keep: timedelta, now: datetime) -> Transition:
    """The worker that holds the job gives it up for good."""
    return Transition(
        action="fail",
        expected=_held_by_worker(job),
        changes=_failed(code, message, keep, now),
    )


def fail_unheld(job: Job, *, code: str, message: str, keep: timedelta, now: datetime) -> Transition:
    """Fail an open job that no worker holds: a refused upload, a dead letter, an expired lease."""
    return Transition(
        action="fail",
        expected=Expected(
            status=job.status, generation=job.generation, attempt=job.attempt, lease_free_at=now
        ),
        changes=_failed(code, message, keep, now),
    )


def cancel(job: Job, *, keep: timedelta, now: datetime) -> Transition:
    """The owner ends an open job, whoever holds it."""
    return Transition(
        action="cancel",
        expected=Expected(status=job.status, generation=job.generation, attempt=job.attempt),
        changes=_failed("cancelled", "The job was cancelled", keep, now),
    )


def retry(job: Job, *, now: datetime) -> Transition:
    """The owner asks for a failed job once more: as if it were new, from its parts on."""
    return Transition(
        action="retry",
        expected=Expected(
            status=JobStatus.FAILED, generation=job.generation, upload_state=UploadState.ACCEPTED
        ),
        changes={
            "status": JobStatus.PENDING,
            "error_code": None,
            "error_message": None,
            "failures": 0,
            "crashes": 0,
            "expires_at": None,
            "webhook": None,
            "webhook_state": None,
            "updated_at": now,
            **_to_be_sent(job, now),
        },
    )


def record_webhook(
    message: WebhookMessage, *, webhook: Mapping[str, Any], unless: WebhookState | None = None
) -> Transition:
    """How far the call is that tells of an end of the job; later ends and deliveries are not written over."""
    return Transition(
        action="record_webhook",
        expected=Expected(
            status=JobStatus(message.status),
            generation=message.generation,
            webhook_not=frozenset({WebhookState.DELIVERED, unless or WebhookState.DELIVERED}),
        ),
        changes={"webhook": dict(webhook), "webhook_state": webhook.get("state")},
    )


def give_back(job: Job, *, count_failure: bool, now: datetime) -> Transition:
    """The worker that holds the job lets it go; its message stays in the queue."""
    return Transition(
        action="give_back",
        expected=_held_by_worker(job),
        changes={
            "status": JobStatus.PENDING,
            "failures": job.failures + int(count_failure),
            "updated_at": now,
            "due_at": now + QUEUE_RETENTION,
            **_NO_LEASE,
        },
    )


def take_back(job: Job, *, now: datetime) -> Transition:
    """Reconcile takes a job from a worker that vanished, and has it sent again."""
    return Transition(
        action="take_back",
        expected=Expected(
            status=JobStatus.RUNNING,
            generation=job.generation,
            attempt=job.attempt,
            lease_free_at=now,
        ),
        changes={
            "status": JobStatus.PENDING,
            "crashes": job.crashes + 1,
            "updated_at": now,
            **_to_be_sent(job, now),
            **_NO_LEASE,
        },
    )


def _held_by_worker(job: Job) -> Expected:
    return Expected(
        status=JobStatus.RUNNING,
        generation=job.generation,
        attempt=job.attempt,
        lease_owner=job.lease_owner,
    )


def _to_be_sent(job: Job, now: datetime) -> Mapping[str, Any]:
    return {"generation": job.generation + 1, "queued_at": None, "due_at": now + RECONCILE_GRACE}


def _lease(worker_id: str | None, lease: timedelta, now: datetime) -> Mapping[str, Any]:
    expires_at = now + lease
    return {
        "lease_owner": worker_id,
        "lease_expires_at": expires_at,
        "due_at": expires_at + RECONCILE_GRACE,
    }


def _ended(keep: timedelta, now: datetime) -> Mapping[str, Any]:
    return {"updated_at": now, "due_at": None, "expires_at": now + keep, **_NO_LEASE}


def _failed(code: str, message: str, keep: timedelta, now: datetime) -> Mapping[str, Any]:
    return {
        "status": JobStatus.FAILED,
        "error_code": code,
        "error_message": message,
        **_ended(keep, now),
    }
