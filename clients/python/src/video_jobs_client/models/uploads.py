"""How a video reaches the service."""

from __future__ import annotations

from datetime import datetime

from video_jobs_client.models.base import Model


class Upload(Model, frozen=True):
    """A form to POST to ``url``: all ``fields``, then the file as the field ``file``."""

    url: str
    fields: dict[str, str]
    expires_at: datetime
    max_bytes: int


class MultipartOffer(Model, frozen=True):
    """The video is taken in ``part_count`` parts of ``part_bytes``; the last may be smaller."""

    part_bytes: int
    part_count: int


class UploadOffered(Model, frozen=True):
    """The job is taken, and starts when the video is uploaded (by one of the two, where JSON was sent)."""

    job_id: str
    upload: Upload | None = None
    multipart: MultipartOffer | None = None


class StoredPart(Model, frozen=True):
    """A part that is there."""

    part_number: int
    size_bytes: int


class UploadProgress(Model, frozen=True):
    """Which parts are there."""

    part_bytes: int
    part_count: int
    size_bytes: int
    parts: tuple[StoredPart, ...]


class SignedPart(Model, frozen=True):
    """PUT exactly ``size_bytes`` of the video to ``url``."""

    part_number: int
    size_bytes: int
    url: str


class SignedParts(Model, frozen=True):
    """Some parts, to be uploaded before ``expires_at``."""

    parts: tuple[SignedPart, ...]
    expires_at: datetime
