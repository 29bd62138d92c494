"""The bodies of the API's answers, as models: the OpenAPI document and the smoke test are made from them.

No route imports them: pydantic takes long to import.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from video_jobs.domain.summary import Summary
from video_jobs.domain.text_engines import TextEngineId

from functions.video_api.result_format import FrameResult

Status = Literal["pending", "running", "completed", "failed"]
JobId = Annotated[str, Field(json_schema_extra={"format": "uuid"})]
Time = Annotated[str, Field(json_schema_extra={"format": "date-time"}, description="ISO 8601, UTC")]


class Answer(BaseModel):
    """Nothing comes that is not described."""

    model_config = ConfigDict(extra="forbid")


class JobAccepted(Answer):
    """The job is taken."""

    job_id: JobId


class Upload(Answer):
    """A form to POST to ``url``: all ``fields``, then the file as the field ``file``."""

    url: str
    fields: dict[str, str]
    expires_at: Time
    max_bytes: int


class MultipartOffer(Answer):
    """The video is taken in ``part_count`` parts of ``part_bytes``; the last may be smaller."""

    part_bytes: int = Field(ge=1)
    part_count: int = Field(ge=1)


class UploadOffered(JobAccepted):
    """The job is taken, and starts when the video is uploaded (by one of the two, where JSON was sent)."""

    upload: Upload | None = None
    multipart: MultipartOffer | None = None


class SignedPart(Answer):
    """PUT exactly ``size_bytes`` of the video to ``url``."""

    part_number: int
    size_bytes: int
    url: str


class SignedParts(Answer):
    """Some parts, to be uploaded before ``expires_at``."""

    parts: list[SignedPart]
    expires_at: Time


class StoredPart(Answer):
    """A part that is there."""

    part_number: int
    size_bytes: int


class UploadProgress(MultipartOffer):
    """Which parts are there."""

    size_bytes: int
    parts: list[StoredPart]


class JobStatus(Answer):
    """How far a job is; ``progress`` is 0 pending, 0.5 running, 1 ended."""

    job_id: JobId
    status: Status
    progress: float = Field(ge=0, le=1)
    created_at: Time
    updated_at: Time
    error_message: str | None


class JobError(Answer):
    """Why a job failed: a stable word, and a sentence that says what to do."""

    code: str
    message: str | None


class Webhook(Answer):
    """How far the call to ``callback_url`` is; ``status_code`` and ``error`` are of the last attempt."""

    callback_url: str
    state: Literal["waiting", "retrying", "delivered", "failed"]
    attempts: int = Field(ge=0)
    status_code: int | None
    error: str | None
    updated_at: Time | None


class Usage(Answer):
    """What the attempts at a job used together; a frame that was analysed twice counts twice.

    ``compute_seconds`` is the time that workers were occupied, ``bytes`` what they fetched of the video.
    ``cost_usd`` is that time by the price of a worker, in US dollars; null where no price is known.
    """

    compute_seconds: float = Field(ge=0)
    frames: int = Field(ge=0)
    bytes: int = Field(ge=0)
    cost_usd: float | None = Field(ge=0)


class QuotedEnd(Answer):
    """Half of the jobs end within ``p50`` seconds after their video has arrived, 95 % within ``p95``."""

    p50: float | None = Field(ge=0)
    p95: float | None = Field(ge=0)


class QuotedVideo(Answer):
    """The video that is reckoned with: ``frames`` is how many frames the options choose of it.

    ``assumed`` names those of the other values that the request lacked. They are those of the average video
    among the jobs of ``based_on``.
    """

    size_bytes: int | None = Field(ge=0)
    duration_ms: float = Field(ge=0)
    average_frame_rate: float = Field(gt=0)
    frames: int = Field(ge=0)
    assumed: list[Literal["size_bytes", "duration_ms", "average_frame_rate"]]


class QuoteBasis(Answer):
    """What a quote rests on: how fast earlier jobs were, and what is before a new one.

    ``fingerprint`` is that of the last job of this pipeline with this choice of text, ``size_class`` the
    class of the pictures; ``jobs`` of both were measured, with ``frames`` in all. If the request has no
    ``width`` and ``height``, it is the class that most jobs had.
    """

    fingerprint: str | None
    size_class: str | None
    jobs: int = Field(ge=0)
    frames: int = Field(ge=0)
    jobs_waiting: int = Field(ge=0)
    jobs_running: int = Field(ge=0)
    workers: int = Field(ge=1)


class Quote(Answer):
    """What a job would take; null where nothing like it was measured yet, or no price is known.

    ``compute_seconds`` is how long a worker would be occupied, ``cost_usd`` that time by the price of a
    worker.
    """

    compute_seconds: float | None = Field(ge=0)
    cost_usd: float | None = Field(ge=0)
    seconds_to_end: QuotedEnd
    video: QuotedVideo | None
    based_on: QuoteBasis


class Video(Answer):
    """The video as it is analysed: all coordinates in results are pixels of ``width`` x ``height``.

    The pictures are upright, with square pixels. ``rotation`` and ``mirrored`` tell how the stored pictures
    are shown: mirrored from left to right first, then turned clockwise. ``first_picture_ms`` is the time of
    the first picture in the movie, which players and subtitles add to ``timestamps_ms``. What the file does
    not tell before all of it is decoded is null.
    """

    container: str
    codec: str
    width: int = Field(ge=1)
    height: int = Field(ge=1)
    frame_count: int | None = Field(ge=0)
    duration_ms: float | None
    average_frame_rate: float | None
    first_picture_ms: float
    rotation: Literal[0, 90, 180, 270]
    mirrored: bool
    interlaced: bool
    variable_frame_rate: bool
    hdr: Literal["pq", "hlg"] | None


class JobWarning(Answer):
    """What to know about a completed job: a stable word, and the sentence that is in ``warnings``, too."""

    code: str
    message: str


class Job(Answer):
    """All that its owner may know of a job.

    ``source_host`` is the host of its ``source_url``. ``helpers`` are the other workers that compute segments
    of a long video at the moment; their frames count in ``frames_done``.
    """

    job_id: JobId
    status: Status
    progress: float = Field(ge=0, le=1)
    pipeline_id: str
    frame_stride: int = Field(ge=1)
    max_frames: int | None = Field(ge=1)
    filename: str | None
    text_engine: TextEngineId | None
    languages: list[str]
    classes: list[str]
    min_confidence: float | None = Field(ge=0, le=1)
    region: list[float] | None = Field(min_length=4, max_length=4)
    start_ms: float | None = Field(ge=0)
    end_ms: float | None = Field(gt=0)
    frames_per_second: float | None = Field(gt=0)
    source_host: str | None
    size_bytes: int | None
    frames_done: int = Field(ge=0)
    frames_total: int | None = Field(ge=0)
    percent: int | None = Field(ge=0, le=100)
    helpers: int = Field(ge=0)
    attempt: int = Field(ge=0)
    video: Video | None
    warnings: list[str]
    warning_details: list[JobWarning]
    fingerprint: dict[str, Any] | None
    error: JobError | None
    webhook: Webhook | None
    usage: Usage | None
    created_at: Time
    updated_at: Time


class JobList(Answer):
    """A page, newest first; a filtered one may be short, or empty, and still have a cursor."""

    jobs: list[Job]
    next_cursor: str | None


class SignedVideo(Answer):
    """GET ``video_url`` before ``expires_at``, whole or in ranges; it takes no HEAD."""

    job_id: JobId
    video_url: str
    expires_at: Time
    size_bytes: int = Field(ge=1)


class Frame(Answer):
    """What the pipeline found on one frame; ``frame_index`` counts the frames of the video, from 0."""

    frame_index: int = Field(ge=0)
    result: FrameResult


class Results(Answer):
    """A page of the results; the URLs download all of them, the summary and all tracks, for a short time.

    With ``partial=true``, ``complete`` tells whether the job is completed; before, ``results_url`` is null.
    ``timestamps_ms`` has the time of each frame of ``results``, in milliseconds from the first picture of the
    video. It is null if the job ran before results had times. ``track_ids`` comes with ``include=tracks``:
    for each frame of ``results`` the track of each entry of its ``detections``, in their order, or null for a
    detection that belongs to none. A job that ran before there were summaries has no ``summary_url`` and no
    ``tracks_url``.
    """

    results: list[Frame]
    timestamps_ms: list[float] | None
    track_ids: list[list[int | None]] = Field(default_factory=list)
    job_id: JobId
    created_at: Time
    updated_at: Time
    next_cursor: str | None
    results_url: str | None
    summary_url: str | None
    tracks_url: str | None
    complete: bool | None = None


class JobSummary(Answer):
    """The summary of a job's video; ``summary_url`` and ``tracks_url`` download files, for a short time.

    ``summary`` is null if it is too large for an answer; the file behind ``summary_url`` has it.
    """

    summary: Summary | None
    job_id: JobId
    created_at: Time
    updated_at: Time
    summary_url: str
    tracks_url: str


class Pipeline(Answer):
    """What a job may ask for."""

    pipeline_id: str
    description: str | None
    is_default: bool


class TextEngine(Answer):
    """What a job may ask for as ``text_engine``.

    One engine reads certain scripts (ISO 15924), the other one the ``languages`` that a job asks for.
    """

    id: TextEngineId
    name: str
    scripts: list[str] | None = None
    languages: list[str] | None = None


class Pipelines(Answer):
    """All of them; a job that asks for no ``text_engine`` gets the one that the workers are set to."""

    pipelines: list[Pipeline]
    text_engines: list[TextEngine]


class Health(Answer):
    """The service answers."""

    status: Literal["ok"]


class Problem(Answer):
    """An error (RFC 9457); ``code`` is a stable word, ``detail`` says what to do."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
