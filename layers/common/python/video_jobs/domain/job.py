"""The job: a frozen value, which is changed by making a copy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypedDict
from uuid import UUID, uuid5

from video_jobs.domain.accounts import Place
from video_jobs.domain.formats import FIRST_FORMAT
from video_jobs.domain.object_choice import ObjectChoice
from video_jobs.domain.region import Region
from video_jobs.domain.sampling import Sampling
from video_jobs.domain.text_engines import TextChoice
from video_jobs.domain.usage import Usage
from video_jobs.domain.video import JobWarning, VideoFacts

DEFAULT_PIPELINE_ID = "yolo_ocr"
DEFAULT_PART_FRAMES = 256
_KEY_NAMESPACE = UUID("5b1cf3b8-8f0f-4c0e-9d0a-3f1c1f5d7a52")


class JobStatus(StrEnum):
    """The four states of a job."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"

    @property
    def is_open(self) -> bool:
        """Whether the job has not ended yet."""
        return self in (JobStatus.PENDING, JobStatus.RUNNING)

    @property
    def progress(self) -> float:
        """Coarse progress: 0 if pending, 0.5 if running, 1 if ended."""
        return {JobStatus.PENDING: 0.0, JobStatus.RUNNING: 0.5}.get(self, 1.0)


ALLOWED_TRANSITIONS: Mapping[JobStatus, frozenset[JobStatus]] = {
    JobStatus.PENDING: frozenset({JobStatus.RUNNING, JobStatus.FAILED}),
    JobStatus.RUNNING: frozenset({JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.PENDING}),
    JobStatus.COMPLETED: frozenset(),
    JobStatus.FAILED: frozenset({JobStatus.PENDING}),
}


class UploadState(StrEnum):
    """Whether the job's video has arrived; if it is FETCHING, the service itself brings it."""

    AWAITING = "awaiting"
    FETCHING = "fetching"
    ACCEPTED = "accepted"


class DeliveryState(StrEnum):
    """The state of the delivery of a job's webhook."""

    RETRYING = "retrying"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOptions:
    """What the client chose for a job.

    Attributes
    ----------
    text_engine, languages
        See `TextChoice`.
    classes, min_confidence
        See `ObjectChoice`.
    region
        The part of the picture that is analysed; None for the whole picture.
    frame_stride, start_ms, end_ms, frames_per_second
        See `Sampling`.
    """

    pipeline_id: str = DEFAULT_PIPELINE_ID
    frame_stride: int = 1
    max_frames: int | None = None
    filename: str | None = None
    callback_url: str | None = None
    text_engine: str | None = None
    languages: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    min_confidence: float | None = None
    region: Region | None = None
    start_ms: float | None = None
    end_ms: float | None = None
    frames_per_second: float | None = None

    @property
    def sampling(self) -> Sampling:
        """Which pictures the client chose."""
        return Sampling(
            stride=self.frame_stride,
            start_ms=self.start_ms,
            end_ms=self.end_ms,
            frames_per_second=self.frames_per_second,
        )

    @property
    def objects(self) -> ObjectChoice:
        """What the client chose of the detection of objects."""
        return ObjectChoice(self.classes, self.min_confidence)

    @property
    def text(self) -> TextChoice:
        """What the client chose for the reading of text."""
        return TextChoice(self.text_engine, self.languages)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a video is fetched from, and how it goes; it leaves the job when the fetch ends.

    Attributes
    ----------
    url
        As the client gave it, with its query, which may be a signature: it is not logged and not shown.
    etag
        Identifies the content that the stored chunks are of; None if a fetch cannot be continued.
    begun
        How often a fetch began at the first byte; each time in a multipart upload of its own.
    failures
        Tries in a row that stored nothing.
    """

    url: str = field(repr=False)
    etag: str | None = None
    begun: int = 0
    failures: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """The job's video in the storage.

    Attributes
    ----------
    key
        Where it is stored.
    multipart_id
        The id of a multipart upload in the storage.
    announced_bytes
        The size that the client announced of a video that it is to upload.
    source, source_host
        Of a video that the service fetches: where from while it does, and the host for good.
    version, size_bytes
        Of the accepted video: the version that was checked, which is the one that is analysed, and its size.
    """

    key: str
    state: UploadState = UploadState.AWAITING
    multipart_id: str | None = None
    announced_bytes: int | None = None
    source: Source | None = None
    source_host: str | None = None
    version: str | None = None
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Lease:
    """A worker's right to a job, or a function's right to fetch its video, until ``expires_at``."""

    worker_id: str
    expires_at: datetime

    def is_live(self, now: datetime) -> bool:
        """Whether the worker still holds the job at ``now``."""
        return self.expires_at > now


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the analysis is.

    Attributes
    ----------
    frames_total
        How many frames there are; None if the container does not tell.
    parts_done
        How many leading parts are stored (`domain.parts`).
    helpers
        How many other workers compute segments of the job at the moment.
    """

    frames_done: int = 0
    frames_total: int | None = None
    parts_done: int = 0
    helpers: int = 0


@dataclass(frozen=True, slots=True)
class SummaryOutput:
    """The summary (`domain.summary`), and the tracks with their index, with the written versions."""

    key: str
    version: str | None
    tracks_key: str
    tracks_version: str | None
    tracks_index_version: str | None


@dataclass(frozen=True, slots=True)
class Output:
    """The results and their index (`domain.results`), with the versions that were written.

    ``summary`` is None if the job ran before there were summaries.
    """

    key: str
    version: str | None = None
    index_version: str | None = None
    summary: SummaryOutput | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job failed: a stable word for programs, and a sentence for the client."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The state of the call to ``callback_url``, and the receiver's last answer."""

    state: DeliveryState
    attempts: int
    updated_at: datetime
    status_code: int | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One video to analyse. Times are timezone-aware UTC.

    Attributes
    ----------
    part_frames
        Candidates in a part of the results, the unit of resuming: pictures that ``frame_stride`` selects.
    needs
        The job format that a worker must understand to run the job (`domain.formats`).
    request_hash
        Hash of the request; under the same Idempotency-Key it must be the same.
    generation, queued_at
        How often the job was sent to the jobs queue, and when the newest message was recorded as sent.
    due_at
        When `reconcile` should look at an open job.
    attempt, failures, crashes
        How many times a worker claimed the job, an attempt ended in a transient error, a worker vanished.
    fingerprint, video
        What the results are computed with, and the video; known once a worker has opened it.
    usage
        What the attempts used that a worker ended; None if there was none.
    retries
        How often the owner asked for a failed job again.
    place
        Where the owner's account counts the job. None if it does not: the job has ended, or an earlier
        release accepted it.
    expires_at
        When the table drops an ended job.
    """

    job_id: str
    owner: str
    created_at: datetime
    updated_at: datetime
    upload: Upload
    status: JobStatus = JobStatus.PENDING
    options: JobOptions = JobOptions()
    part_frames: int = DEFAULT_PART_FRAMES
    needs: int = FIRST_FORMAT
    request_hash: str | None = None
    generation: int = 0
    queued_at: datetime | None = None
    due_at: datetime | None = None
    attempt: int = 0
    failures: int = 0
    crashes: int = 0
    lease: Lease | None = None
    progress: Progress = Progress()
    output: Output | None = None
    error: Failure | None = None
    video: VideoFacts | None = None
    warnings: tuple[JobWarning, ...] = ()
    fingerprint: Mapping[str, Any] | None = field(default=None, hash=False)
    delivery: Delivery | None = None
    usage: Usage | None = None
    retries: int = 0
    place: Place | None = None
    expires_at: datetime | None = None

    @property
    def awaits_upload(self) -> bool:
        """Whether the job still waits for its video."""
        return self.status is JobStatus.PENDING and self.upload.state is not UploadState.ACCEPTED

    @property
    def awaits_source(self) -> bool:
        """Whether the job waits for a video that the service fetches."""
        return self.status is JobStatus.PENDING and self.upload.state is UploadState.FETCHING

    @property
    def due_rank(self) -> int:
        """When its turn is among due jobs: 0 if it was sent or runs, 1 if it waits to be sent or its video
        is fetched, 2 if a client owes it."""
        order = (UploadState.ACCEPTED, UploadState.FETCHING, UploadState.AWAITING)
        return max(order.index(self.upload.state), int(self.place is Place.WAITING))

    @property
    def waits(self) -> bool:
        """Whether the job has its video, and its turn to be sent is still to come."""
        return self.status is JobStatus.PENDING and self.place is Place.WAITING

    @property
    def worker_id(self) -> str | None:
        """The worker that has the lease, even if the lease has ended."""
        return None if self.lease is None else self.lease.worker_id

    def is_held(self, now: datetime) -> bool:
        """Whether a worker holds this job at ``now``."""
        return self.lease is not None and self.lease.is_live(now)


class JobChanges(TypedDict, total=False):
    """New values for some fields of a job, by the names and types of `Job`."""

    updated_at: datetime
    upload: Upload
    status: JobStatus
    generation: int
    queued_at: datetime | None
    due_at: datetime | None
    attempt: int
    failures: int
    crashes: int
    lease: Lease | None
    progress: Progress
    output: Output | None
    error: Failure | None
    video: VideoFacts | None
    warnings: tuple[JobWarning, ...]
    fingerprint: Mapping[str, Any] | None
    delivery: Delivery | None
    usage: Usage | None
    retries: int
    place: Place | None
    expires_at: datetime | None


def job_id_of_key(owner: str, idempotency_key: str) -> str:
    """The job id that an owner's idempotency key determines (UUID version 5)."""
    return str(uuid5(_KEY_NAMESPACE, f"{owner}\n{idempotency_key}"))


def is_job_id(text: str) -> bool:
    """Whether ``text`` is a job id: a UUID in its canonical lower-case form."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def to_iso(moment: datetime) -> str:
    """ISO 8601 in UTC with microseconds; as text, it sorts in the order of time."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_iso(text: str) -> datetime:
    """Read what `to_iso` wrote, and any other ISO 8601 text; without an offset it is UTC."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
