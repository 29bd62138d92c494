"""What the job handles of both clients share."""

from __future__ import annotations

from datetime import datetime

from video_jobs_client.models import JobError, JobResource, Video


class JobFacts:
    """A job as the service told it last.

    Attributes
    ----------
    resource
        All that is known of it.
    """

    def __init__(self, resource: JobResource) -> None:
        self.resource = resource

    @property
    def id(self) -> str:
        """The job_id."""
        return self.resource.job_id

    @property
    def status(self) -> str:
        """``pending``, ``running``, ``completed`` or ``failed``, when the service was last asked."""
        return self.resource.status

    @property
    def error(self) -> JobError | None:
        """Why it failed."""
        return self.resource.error

    @property
    def video(self) -> Video | None:
        """What the worker found when it opened the video."""
        return self.resource.video

    @property
    def created_at(self) -> datetime:
        """When it was submitted."""
        return self.resource.created_at

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id} {self.status}>"
