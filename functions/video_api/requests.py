"""What a submit request may say."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from video_jobs.domain.job import DEFAULT_PIPELINE_ID
from video_jobs.domain.multipart import MAX_PARTS
from video_jobs.services.submit_job import SubmitOptions


class SubmitParameters(BaseModel):
    """Options of a job: the query of a body upload, or a part of the JSON."""

    model_config = ConfigDict(extra="forbid")

    pipeline_id: str = Field(default=DEFAULT_PIPELINE_ID, min_length=1, max_length=64)
    frame_stride: int = Field(default=1, ge=1, le=1_000_000)
    max_frames: int | None = Field(default=None, ge=1, le=100_000_000)
    filename: str | None = Field(default=None, max_length=255)

    def to_options(self, idempotency_key: str | None) -> SubmitOptions:
        """The same as the service takes it."""
        return SubmitOptions(
            pipeline_id=self.pipeline_id,
            frame_stride=self.frame_stride,
            max_frames=self.max_frames,
            filename=self.filename,
            idempotency_key=idempotency_key,
        )


class SubmitRequest(SubmitParameters):
    """The JSON body: a video that the client will upload by itself."""

    size_bytes: int = Field(ge=1)
    upload_method: Literal["form", "multipart"] = "form"


class PartsRequest(BaseModel):
    """Which parts of an upload are to be signed."""

    model_config = ConfigDict(extra="forbid")

    part_numbers: list[Annotated[int, Field(ge=1, le=MAX_PARTS)]] = Field(min_length=1, max_length=100)
