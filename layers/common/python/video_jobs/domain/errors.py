"""Every error that the product raises on purpose.

``default_message`` is written for the client: it says what is wrong and, if possible, what the client can
do. ``code`` is a stable word for programs.
"""

from __future__ import annotations

from typing import ClassVar


class VideoJobsError(Exception):
    """Base of all errors of this product."""

    default_message: ClassVar[str] = "Something went wrong in the video job service."
    code: ClassVar[str] = "internal_error"

    def __init__(self, message: str | None = None) -> None:
        self.message = message or self.default_message
        super().__init__(self.message)


# --- refused requests ----------------------------------------------------------------------------


class InvalidRequestError(VideoJobsError):
    """A request whose query, header or body is wrong."""

    default_message = "The request is not valid."
    code = "invalid_request"


class UnknownPipelineError(InvalidRequestError):
    """A request for a pipeline that this service does not offer."""

    default_message = "There is no such pipeline."
    code = "unknown_pipeline"


class UnknownLanguageError(InvalidRequestError):
    """A request for a language that this service does not offer."""

    default_message = "There is no such language."
    code = "unknown_language"


class InvalidCursorError(InvalidRequestError):
    """A cursor that was changed or belongs to another list."""

    default_message = "The cursor does not belong to this list; start again without it."
    code = "invalid_cursor"


class InvalidVideoError(VideoJobsError):
    """An upload that is neither an MP4 nor a MOV."""

    default_message = "Invalid MP4 file"
    code = "invalid_mp4"


class VideoTooLargeError(VideoJobsError):
    """A video that is too large for its way of uploading."""

    default_message = "The video is too large."
    code = "video_too_large"


class VideoMissingError(VideoJobsError):
    """A request for a video that has not arrived, was refused, or was deleted."""

    default_message = (
        "This job has no video: it has not arrived yet, was refused, or was deleted. "
        "Ask again once the job runs, or submit the video again."
    )
    code = "video_missing"


class UnsupportedContentTypeError(VideoJobsError):
    """A submit request with a content type or encoding that is not supported."""

    default_message = (
        "Send the video as video/mp4, video/quicktime, video/x-m4v, video/3gpp, video/3gpp2, "
        "application/octet-stream or multipart/form-data, or a JSON description as application/json."
    )
    code = "unsupported_media_type"


class UnauthenticatedError(VideoJobsError):
    """A request without a verified owner."""

    default_message = "The request carries no verified token."
    code = "unauthenticated"


class IdempotencyMismatchError(VideoJobsError):
    """An Idempotency-Key that was used for a different request."""

    default_message = "This Idempotency-Key was used for another request; use a new key for a new request."
    code = "idempotency_mismatch"


class JobNotFoundError(VideoJobsError):
    """A job that does not exist or belongs to another owner."""

    default_message = "Job not found"
    code = "job_not_found"


class JobNotCompletedError(VideoJobsError):
    """A request for results that do not exist yet."""

    default_message = "Job not completed"
    code = "job_not_completed"


class NoSummaryError(VideoJobsError):
    """A request for the summary or the tracks of a job that an earlier release completed."""

    default_message = "The job ran before there were summaries; submit the video again to get one."
    code = "no_summary"


class JobStateError(VideoJobsError):
    """A request that the state of the job forbids."""

    default_message = "The job's state does not allow this."
    code = "job_state"


class QuotaError(VideoJobsError):
    """A job that its owner may not have now, because he has or submits too many.

    Attributes
    ----------
    retry_after_s
        After how many seconds to ask again.
    """

    default_message = "You have as many jobs as you may have; ask again when some of them have ended."
    code = "quota_exceeded"

    def __init__(self, message: str | None = None, *, retry_after_s: int = 60) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ResultsRestartedError(VideoJobsError):
    """A cursor of partial results that were computed with other models or libraries than the results now."""

    default_message = (
        "The results were computed anew, with other models or libraries than before; "
        "start again without the cursor."
    )
    code = "results_restarted"


class UploadIncompleteError(VideoJobsError):
    """A multipart upload that cannot be completed yet."""

    default_message = "Parts of the upload are missing."
    code = "upload_incomplete"


class MethodNotAllowedError(VideoJobsError):
    """A method that the route does not support."""

    default_message = "This route does not support this method."
    code = "method_not_allowed"


# --- errors that fail a job ----------------------------------------------------------------------


class PermanentJobError(VideoJobsError):
    """Base of the errors that fail a job at once."""

    default_message = "The job cannot succeed, however often it is tried."
    code = "job_failed"


class UnreadableVideoError(PermanentJobError):
    """A file from which no picture can be decoded."""

    default_message = "Unable to read video file"
    code = "unreadable_video"


class NoFrameChosenError(PermanentJobError):
    """A ``start_ms`` and ``end_ms`` between which the video has no frame."""

    default_message = "No frame of this video is within the chosen times (start_ms, end_ms)."
    code = "no_frame_chosen"


class PipelineError(PermanentJobError):
    """An exception inside a pipeline."""

    default_message = "A step of the pipeline failed."
    code = "pipeline_failed"


class UnknownClassError(PermanentJobError):
    """A job that wants objects of a class that the model does not know."""

    default_message = "The model does not know one of the classes."
    code = "unknown_class"


class UnsupportedOptionError(PermanentJobError):
    """A job with an option that its pipeline cannot follow."""

    default_message = "The pipeline does not take one of the options."
    code = "unsupported_option"


class AnalysisCrashedError(PermanentJobError):
    """A crash of the analysing process."""

    default_message = "The analysis crashed on this video; convert it to H.264 and submit it again."
    code = "analysis_crashed"


class ResourceLimitError(PermanentJobError):
    """A video that takes more memory or time than the service allows."""

    default_message = "Analysing this video takes more than the service allows."
    code = "resource_limit"


class JobTooLongError(PermanentJobError):
    """An attempt that ran longer than a job may."""

    default_message = (
        "The job ran longer than the service allows; submit fewer frames "
        "(frames_per_second, start_ms, end_ms, max_frames)."
    )
    code = "job_too_long"


class SourceError(PermanentJobError):
    """Base of the errors of a video that is fetched from a ``source_url``; none of them names the URL.

    Attributes
    ----------
    may_pass
        Whether the next try may succeed.
    """

    def __init__(self, message: str | None = None, *, may_pass: bool = False) -> None:
        super().__init__(message)
        self.may_pass = may_pass


class SourceNotFoundError(SourceError):
    """A server that has no file at the URL."""

    default_message = "There is no file at the source_url; check it and submit it again."
    code = "source_not_found"


class SourceRefusedError(SourceError):
    """A server that does not give the file."""

    default_message = "The server of the source_url does not give the file; a signed URL may have expired."
    code = "source_refused"


class SourceTooLargeError(SourceError):
    """A file that is larger than a video may be."""

    default_message = "The file at the source_url is larger than a video may be."
    code = "source_too_large"


class SourceTooSlowError(SourceError):
    """A file that did not come in time."""

    default_message = "The file at the source_url did not come in time."
    code = "source_too_slow"


class SourceUnreachableError(SourceError):
    """A server that cannot be connected to, or fails again and again."""

    default_message = "The server of the source_url could not be reached."
    code = "source_unreachable"


class SourceInterruptedError(SourceError):
    """A transfer that broke off again and again, or a file that changed meanwhile."""

    default_message = "The transfer from the source_url broke off again and again."
    code = "source_interrupted"


class SourceForbiddenAddressError(SourceError):
    """A URL or redirect that leads to an address that may not be called."""

    default_message = "The source_url leads to an address that is not public, which is never called."
    code = "source_forbidden_address"


class SourceRedirectError(SourceError):
    """A redirect that is not followed."""

    default_message = "The source_url redirects too often, or to a URL that is not taken."
    code = "source_bad_redirect"


# --- errors that may not occur at the next try ---------------------------------------------------


class TransientError(VideoJobsError):
    """A failure of a service that this one depends on."""

    default_message = "A service that this one depends on did not answer; the same call may work later."
    code = "temporarily_unavailable"


# --- errors of adapters and settings -------------------------------------------------------------


class ConflictError(VideoJobsError):
    """A conditional write whose condition no longer holds."""

    default_message = "The job changed meanwhile, so this change was not made."
    code = "conflict"


class FileMissingError(VideoJobsError):
    """A key or version that the storage does not hold."""

    default_message = "There is no such file in the storage."
    code = "file_missing"


class InvalidKeyError(VideoJobsError):
    """A storage key that is not a plain relative path."""

    default_message = "A storage key must be a relative path inside the storage."
    code = "invalid_key"


class ReceiptExpiredError(VideoJobsError):
    """A message whose visibility timeout has ended."""

    default_message = "The message is no longer held by this consumer."
    code = "receipt_expired"


class WebhookSecretError(VideoJobsError):
    """A missing or malformed webhook secret."""

    default_message = "There is no usable webhook secret for the owner of the job."
    code = "webhook_secret"


class WebhookDeliveryError(VideoJobsError):
    """A webhook that its receiver did not accept."""

    default_message = "The receiver did not accept the webhook."
    code = "webhook_failed"

    def __init__(self, message: str, status_code: int | None = None) -> None:
        super().__init__(message)
        self.status_code = status_code


class FleetError(VideoJobsError):
    """A look at the fleet of workers, or a change of its size, that failed."""

    default_message = "The number of workers could not be set."
    code = "fleet_error"


class SettingError(VideoJobsError):
    """A missing or wrong setting."""

    default_message = "A setting is missing or wrong."
    code = "invalid_setting"
