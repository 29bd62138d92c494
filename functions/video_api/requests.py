"""The bodies and query parameters of requests that submit, upload and ask for a quote."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import from_json
from video_jobs.domain.addresses import MAX_URL_LENGTH
from video_jobs.domain.chunks import MAX_CHUNKS
from video_jobs.domain.content_types import DEFAULT_CONTENT_TYPE, VideoContentType
from video_jobs.domain.errors import InvalidRequestError
from video_jobs.domain.job import DEFAULT_PIPELINE_ID, JobOptions
from video_jobs.domain.quotes import ClaimedVideo
from video_jobs.domain.region import Region
from video_jobs.domain.sources import MAX_SOURCE_URL_LENGTH
from video_jobs.domain.text_engines import MAX_LANGUAGES, TextEngineId
from video_jobs.use_cases.intake import Submission

_OPTIONS = {option.name for option in fields(JobOptions)}
_CLAIMS = {claim.name for claim in fields(ClaimedVideo)}
_MAX_MS = 10**12
_MAX_EDGE = 100_000
_Fraction = Annotated[float, Field(ge=0, le=1)]
_ClassName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]


class SubmitParameters(BaseModel):
    """Options of a job: the query if the video is in the body, otherwise a part of the JSON."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    pipeline_id: str = Field(default=DEFAULT_PIPELINE_ID, min_length=1, max_length=64)
    frame_stride: int = Field(default=1, ge=1, le=1_000_000)
    max_frames: int | None = Field(default=None, ge=1, le=100_000_000)
    filename: str | None = Field(default=None, max_length=255)
    callback_url: str | None = Field(
        default=None, max_length=MAX_URL_LENGTH, json_schema_extra={"format": "uri"}
    )
    text_engine: TextEngineId | None = None
    languages: tuple[Annotated[str, Field(min_length=1, max_length=64)], ...] = Field(
        default=(), json_schema_extra={"maxItems": MAX_LANGUAGES}
    )
    classes: tuple[_ClassName, ...] = Field(default=(), max_length=100)
    min_confidence: _Fraction | None = None
    region: tuple[_Fraction, ...] | None = Field(default=None, min_length=4, max_length=4)
    start_ms: float | None = Field(default=None, ge=0, le=_MAX_MS)
    end_ms: float | None = Field(default=None, gt=0, le=_MAX_MS)
    frames_per_second: float | None = Field(default=None, gt=0, le=1000)

    def to_submission(self, owner: str, idempotency_key: str | None) -> Submission:
        """The request, in the form that the use cases take.

        Raises
        ------
        InvalidRequestError
            If the request has a ``frames_per_second`` and a ``frame_stride``, even one that is the default.
        """
        if self.frames_per_second is not None and "frame_stride" in self.model_fields_set:
            raise InvalidRequestError("frames_per_second and frame_stride exclude each other; leave one out")
        region = None if self.region is None else Region(*self.region)
        return Submission(
            owner=owner,
            options=JobOptions(**self.model_dump(include=_OPTIONS) | {"region": region}),
            idempotency_key=idempotency_key,
        )


class SubmitRequest(SubmitParameters):
    """The JSON body, if the client uploads the video by itself."""

    size_bytes: int = Field(ge=1)
    content_type: VideoContentType = DEFAULT_CONTENT_TYPE
    upload_method: Literal["form", "multipart"] = "form"
    checksum_sha256: str | None = Field(default=None, pattern="^[A-Za-z0-9+/]{43}=$")

    def to_submission(self, owner: str, idempotency_key: str | None) -> Submission:
        """The request, in the form that the use cases take."""
        submission = super().to_submission(owner, idempotency_key)
        return replace(submission, content_type=self.content_type, checksum_sha256=self.checksum_sha256)

    @model_validator(mode="after")
    def _of_a_form(self) -> Self:
        if self.checksum_sha256 is not None and self.upload_method != "form":
            raise ValueError("checksum_sha256 is allowed only with the upload_method form")
        return self


class SourceRequest(SubmitParameters):
    """The JSON body, if the service is to fetch the video from a URL."""

    source_url: str = Field(
        min_length=1, max_length=MAX_SOURCE_URL_LENGTH, json_schema_extra={"format": "uri"}
    )


class QuoteRequest(SubmitParameters):
    """The JSON body of a quote: the options of a job, and what is known of its video.

    The names are those of the job resource. ``size_bytes`` or ``duration_ms`` is needed.
    """

    size_bytes: int | None = Field(default=None, ge=1)
    duration_ms: float | None = Field(default=None, gt=0, le=_MAX_MS)
    average_frame_rate: float | None = Field(default=None, gt=0, le=1000)
    width: int | None = Field(default=None, ge=1, le=_MAX_EDGE)
    height: int | None = Field(default=None, ge=1, le=_MAX_EDGE)

    @property
    def video(self) -> ClaimedVideo:
        """What the client says of the video."""
        return ClaimedVideo(**self.model_dump(include=_CLAIMS))

    @model_validator(mode="after")
    def _of_some_length(self) -> Self:
        if self.size_bytes is None and self.duration_ms is None:
            raise ValueError("give size_bytes or duration_ms")
        return self

    @model_validator(mode="after")
    def _of_some_shape(self) -> Self:
        if (self.width is None) != (self.height is None):
            raise ValueError("give both width and height, or neither")
        return self


def read_submit_request(body: bytes) -> SubmitRequest | SourceRequest:
    """The JSON body of a submit: one with a ``source_url`` has the service fetch the video."""
    try:
        found = from_json(body)
    except ValueError:
        found = None  # the model says what is wrong
    names_source = isinstance(found, dict) and "source_url" in found
    return (SourceRequest if names_source else SubmitRequest).model_validate_json(body)


class PartsRequest(BaseModel):
    """The numbers of the chunks that are to be signed."""

    model_config = ConfigDict(extra="forbid")

    part_numbers: list[Annotated[int, Field(ge=1, le=MAX_CHUNKS)]] = Field(min_length=1, max_length=100)
