"""The query parameters of GET requests."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from video_jobs.domain.job import JobStatus
from video_jobs.use_cases.owner import JobFilter
from video_jobs.use_cases.results import ResultsQuery

_MAX_FRAME = 10**9
_MAX_MS = 10**12


class ListParameters(BaseModel):
    """``GET /video/jobs``"""

    model_config = ConfigDict(extra="forbid")

    status: JobStatus | None = None
    pipeline_id: str | None = Field(default=None, min_length=1, max_length=64)
    limit: int = Field(default=20, ge=1, le=100)
    cursor: str | None = Field(default=None, min_length=1)

    def to_filter(self) -> JobFilter:
        """The query, in the form that the use case takes."""
        return JobFilter(status=self.status, pipeline_id=self.pipeline_id)


class ResultsParameters(BaseModel):
    """``GET /video/results/{job_id}``"""

    model_config = ConfigDict(extra="forbid")

    cursor: str | None = Field(default=None, min_length=1)
    limit: int | None = Field(default=None, ge=1, le=_MAX_FRAME)
    from_frame: int = Field(default=0, ge=0, le=_MAX_FRAME)
    to_frame: int | None = Field(default=None, ge=0, le=_MAX_FRAME)
    from_ms: float | None = Field(default=None, ge=0, le=_MAX_MS)
    to_ms: float | None = Field(default=None, ge=0, le=_MAX_MS)
    include: Literal["tracks"] | None = None
    partial: bool = False

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.to_frame is not None and self.to_frame < self.from_frame:
            raise ValueError("to_frame must not be before from_frame")
        if self.from_ms is not None and self.to_ms is not None and self.to_ms < self.from_ms:
            raise ValueError("to_ms must not be before from_ms")
        return self

    @model_validator(mode="after")
    def _partial_goes_with_few(self) -> Self:
        others = sorted(self.model_fields_set - {"partial", "cursor", "limit"})
        if self.partial and others:
            raise ValueError(f"partial goes with cursor and limit only, not with {', '.join(others)}")
        return self

    def to_query(self) -> ResultsQuery:
        """The query, in the form that the use case takes."""
        chosen = self.model_dump(exclude={"include", "partial"})
        return ResultsQuery(**chosen, with_tracks=self.include == "tracks")
