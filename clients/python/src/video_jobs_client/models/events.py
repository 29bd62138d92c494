"""The event that a webhook delivers (docs/webhooks.md)."""

from __future__ import annotations

from datetime import datetime

from video_jobs_client.models.base import Model
from video_jobs_client.models.jobs import JobError


class EndedJob(Model, frozen=True):
    """How a job ended; ``event_id`` is the same in every attempt at telling it."""

    event_id: str
    job_id: str
    owner: str
    status: str
    pipeline_id: str
    frames_done: int
    error: JobError | None
    ended_at: datetime


class JobEvent(Model, frozen=True):
    """``job.completed`` or ``job.failed``, with the job in ``data``."""

    type: str
    timestamp: datetime
    data: EndedJob
