"""The job: a frozen value that changes by copy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

DEFAULT_PIPELINE_ID = "yolo_ocr"
DEFAULT_PART_FRAMES = 256
_KEY_NAMESPACE = UUID("5b1cf3b8-8f0f-4c0e-9d0a-3f1c1f5d7a52")


class JobStatus(StrEnum):
    """The four states of a job; there is no other, ever."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"

    @property
    def is_open(self) -> bool:
        """Whether the job has still to end."""
        return self in (JobStatus.PENDING, JobStatus.RUNNING)


ALLOWED_TRANSITIONS: Mapping[JobStatus, frozenset[JobStatus]] = {
    JobStatus.PENDING: frozenset({JobStatus.RUNNING, JobStatus.FAILED}),
    JobStatus.RUNNING: frozenset({JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.PENDING}),
    JobStatus.COMPLETED: frozenset(),
    JobStatus.FAILED: frozenset({JobStatus.PENDING}),
}

PROGRESS: Mapping[JobStatus, float] = {
    JobStatus.PENDING: 0.0,
    JobStatus.RUNNING: 0.5,
    JobStatus.COMPLETED: 1.0,
    JobStatus.FAILED: 1.0,
}


class UploadState(StrEnum):
    """Where the job's video is."""

    AWAITING = "awaiting"
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One video to analyse, as the table keeps it.

    Times are timezone-aware UTC. ``generation`` counts the sends to the jobs queue, ``attempt`` the
    claims by workers, ``failures`` the attempts that ended in a transient error and ``crashes`` those
    whose worker vanished. ``upload_id`` and ``upload_bytes`` belong to an upload in
    parts. ``due_at`` is when `reconcile` should look at an open job. ``webhook`` is how far the call to
    ``callback_url`` is: state, attempts, and what the receiver answered last; ``webhook_state`` repeats its
    state, for conditions.
    """

    job_id: str
    owner: str
    created_at: datetime
    updated_at: datetime
    input_path: str
    status: JobStatus = JobStatus.PENDING
    pipeline_id: str = DEFAULT_PIPELINE_ID
    frame_stride: int = 1
    max_frames: int | None = None
    part_frames: int = DEFAULT_PART_FRAMES
    filename: str | None = None
    request_hash: str | None = None
    upload_state: UploadState = UploadState.AWAITING
    upload_id: str | None = None
    upload_bytes: int | None = None
    input_version: str | None = None
    input_bytes: int | None = None
    output_path: str | None = None
    output_version: str | None = None
    output_index_version: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    generation: int = 0
    queued_at: datetime | None = None
    attempt: int = 0
    failures: int = 0
    crashes: int = 0
    lease_owner: str | None = None
    lease_expires_at: datetime | None = None
    due_at: datetime | None = None
    frames_done: int = 0
    frames_total: int | None = None
    warnings: tuple[str, ...] = ()
    fingerprint: Mapping[str, Any] | None = field(default=None, hash=False)
    callback_url: str | None = None
    webhook: Mapping[str, Any] | None = field(default=None, hash=False)
    webhook_state: str | None = None
    expires_at: datetime | None = None

    @property
    def progress(self) -> float:
        """Coarse progress: 0 pending, 0.5 running, 1 ended. Derived, never stored."""
        return PROGRESS[self.status]

    def lease_is_live(self, now: datetime) -> bool:
        """Whether a worker holds this job at ``now``."""
        return self.lease_expires_at is not None and self.lease_expires_at > now


def job_id_of_key(owner: str, idempotency_key: str) -> str:
    """The job id that an owner's idempotency key stands for (UUID version 5)."""
    return str(uuid5(_KEY_NAMESPACE, f"{owner}\n{idempotency_key}"))


def is_job_id(text: str) -> bool:
    """Whether ``text`` is a job id: a UUID in its canonical lower-case form."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def to_iso(moment: datetime) -> str:
    """ISO 8601 in UTC with microseconds; sorts as text in the order of time."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_iso(text: str) -> datetime:
    """Read what `to_iso` wrote, and any other ISO 8601 text; without an offset it is UTC."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
