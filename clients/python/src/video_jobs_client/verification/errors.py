"""What keeps results from being verified."""

from __future__ import annotations

from video_jobs_client.errors import VideoJobsClientError


class VerificationError(VideoJobsClientError):
    """The results cannot be verified; whether they are right is not known."""


class NothingToVerifyError(VerificationError):
    """The job is not completed."""


class OtherVideoError(VerificationError):
    """The video is not that of the job, or cannot be read."""


class WorkerMissingError(VerificationError):
    """The worker is not installed where it was looked for."""


class WorkerFailedError(VerificationError):
    """The worker ended before it had computed everything."""


class WorkerSettingError(WorkerFailedError):
    """A setting of the worker is missing or wrong, for example MODEL_PATH."""
