"""The job as the service tells it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from video_jobs_client.models.base import Model, Rectangle


class Video(Model, frozen=True):
    """The video as it is analysed: all coordinates in results are pixels of ``width`` x ``height``.

    The pictures are upright, with square pixels. ``rotation`` and ``mirrored`` tell how the stored pictures
    are shown: mirrored from left to right first, then turned clockwise. ``first_picture_ms`` is the time of
    the first picture in the movie, which players and subtitles add to ``timestamps_ms``. What the file does
    not tell before all of it is decoded is null.
    """

    container: str
    codec: str
    width: int
    height: int
    frame_count: int | None
    duration_ms: float | None
    average_frame_rate: float | None
    first_picture_ms: float
    rotation: int
    mirrored: bool
    interlaced: bool
    variable_frame_rate: bool
    hdr: str | None


class JobError(Model, frozen=True):
    """Why a job failed: a stable word, and a sentence that says what to do."""

    code: str
    message: str | None


class JobWarning(Model, frozen=True):
    """What to know about a completed job: a stable word, and the sentence that is in ``warnings``, too."""

    code: str
    message: str


class Webhook(Model, frozen=True):
    """How far the call to ``callback_url`` is; ``status_code`` and ``error`` are of the last attempt."""

    callback_url: str
    state: str
    attempts: int
    status_code: int | None
    error: str | None
    updated_at: datetime | None


class Usage(Model, frozen=True):
    """What the attempts at a job used together; a frame that was analysed twice counts twice.

    ``compute_seconds`` is the time that workers were occupied, ``bytes`` what they fetched of the video.
    ``cost_usd`` is that time by the price of a worker, in US dollars; null where no price is known.
    """

    compute_seconds: float
    frames: int
    bytes: int
    cost_usd: float | None


class JobResource(Model, frozen=True):
    """All that its owner may know of a job.

    ``source_host`` is the host of its ``source_url``. ``helpers`` are the other workers that compute segments
    of a long video at the moment; their frames count in ``frames_done``.
    """

    job_id: str
    status: str
    progress: float
    pipeline_id: str
    frame_stride: int
    max_frames: int | None
    filename: str | None
    text_engine: str | None
    languages: tuple[str, ...]
    classes: tuple[str, ...]
    min_confidence: float | None
    region: Rectangle | None
    start_ms: float | None
    end_ms: float | None
    frames_per_second: float | None
    source_host: str | None
    size_bytes: int | None
    frames_done: int
    frames_total: int | None
    percent: int | None
    helpers: int
    attempt: int
    video: Video | None
    warnings: tuple[str, ...]
    warning_details: tuple[JobWarning, ...]
    fingerprint: dict[str, Any] | None
    error: JobError | None
    webhook: Webhook | None
    usage: Usage | None
    created_at: datetime
    updated_at: datetime


class JobList(Model, frozen=True):
    """A page, newest first; a filtered one may be short, or empty, and still have a cursor."""

    jobs: tuple[JobResource, ...]
    next_cursor: str | None


class JobStatus(Model, frozen=True):
    """How far a job is; ``progress`` is 0 pending, 0.5 running, 1 ended."""

    job_id: str
    status: str
    progress: float
    created_at: datetime
    updated_at: datetime
    error_message: str | None


class SignedVideo(Model, frozen=True):
    """GET ``video_url`` before ``expires_at``, whole or in ranges; it takes no HEAD."""

    job_id: str
    video_url: str
    expires_at: datetime
    size_bytes: int
