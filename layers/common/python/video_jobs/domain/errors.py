"""Every error the product raises on purpose.

The docstring of a class is its default message, written for the client: it says what is wrong and,
where the client can do something, what. ``code`` is the stable machine word that goes with it.
"""

from __future__ import annotations

import inspect
from typing import ClassVar


class VideoJobsError(Exception):
    """Something went wrong in the video job service."""

    code: ClassVar[str] = "internal_error"

    def __init__(self, message: str | None = None) -> None:
        self.message = message or inspect.cleandoc(type(self).__doc__ or "").splitlines()[0]
        super().__init__(self.message)


# --- what a client asked for wrongly -------------------------------------------------------------


class InvalidRequestError(VideoJobsError):
    """The request is not valid."""

    code = "invalid_request"


class UnknownPipelineError(InvalidRequestError):
    """There is no such pipeline."""

    code = "unknown_pipeline"


class InvalidCursorError(InvalidRequestError):
    """The cursor is not one that this service gave out; start again without it."""

    code = "invalid_cursor"


class InvalidVideoError(VideoJobsError):
    """Invalid MP4 file"""

    code = "invalid_mp4"


class VideoTooLargeError(VideoJobsError):
    """The video is too large."""

    code = "video_too_large"


class UnsupportedContentTypeError(VideoJobsError):
    """Send the MP4 as video/mp4 or multipart/form-data, or a JSON description as application/json."""

    code = "unsupported_media_type"


class UnauthenticatedError(VideoJobsError):
    """The request carries no verified token."""

    code = "unauthenticated"


class IdempotencyMismatchError(VideoJobsError):
    """This Idempotency-Key was used for another request; take a new key for a new request."""

    code = "idempotency_mismatch"


class JobNotFoundError(VideoJobsError):
    """Job not found"""

    code = "job_not_found"


class JobNotCompletedError(VideoJobsError):
    """Job not completed"""

    code = "job_not_completed"


class JobStateError(VideoJobsError):
    """The job's state does not allow this."""

    code = "job_state"


class UploadIncompleteError(VideoJobsError):
    """Parts of the upload are missing."""

    code = "upload_incomplete"


class MethodNotAllowedError(VideoJobsError):
    """This route does not take this method."""

    code = "method_not_allowed"


# --- what ends one job ---------------------------------------------------------------------------


class PermanentJobError(VideoJobsError):
    """The job cannot succeed, however often it is tried."""

    code = "job_failed"


class UnreadableVideoError(PermanentJobError):
    """Unable to read video file"""

    code = "unreadable_video"


class PipelineError(PermanentJobError):
    """A step of the pipeline failed."""

    code = "pipeline_failed"


class AnalysisCrashedError(PermanentJobError):
    """The analysis crashed on this video; convert it to H.264 and submit it again."""

    code = "analysis_crashed"


class ResourceLimitError(PermanentJobError):
    """Analysing this video takes more than the service allows."""

    code = "resource_limit"


class JobTooLongError(PermanentJobError):
    """The job ran longer than the service allows; submit fewer frames (frame_stride, max_frames)."""

    code = "job_too_long"


# --- what may work at the next try ---------------------------------------------------------------


class TransientError(VideoJobsError):
    """A service that this one depends on did not answer; the same call may work later."""

    code = "temporarily_unavailable"


# --- the store -----------------------------------------------------------------------------------


class ConflictError(VideoJobsError):
    """The job changed meanwhile, so this change was not made."""

    code = "conflict"


class FileMissingError(VideoJobsError):
    """There is no such file in the storage."""

    code = "file_missing"


class InvalidKeyError(VideoJobsError):
    """A storage key must be a relative path inside the storage."""

    code = "invalid_key"


class ReceiptExpiredError(VideoJobsError):
    """The message is no longer held by this consumer."""

    code = "receipt_expired"


class WebhookSecretError(VideoJobsError):
    """There is no usable webhook secret for the owner of the job."""

    code = "webhook_secret"


class WebhookDeliveryError(VideoJobsError):
    """The webhook was not taken."""

    code = "webhook_failed"

    def __init__(self, message: str, status_code: int | None = None) -> None:
        super().__init__(message)
        self.status_code = status_code


class SettingError(VideoJobsError):
    """A setting is missing or wrong."""

    code = "invalid_setting"
