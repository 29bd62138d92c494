"""What goes wrong, told so that the caller can do something about it."""

from __future__ import annotations

from typing import Any, ClassVar


class VideoJobsClientError(Exception):
    """Something did not work; the message says what to do."""

    def __reduce__(self) -> tuple[Any, ...]:
        # errors of other processes are pickled, and the arguments of __init__ are not those of the message
        return _unpickled, (type(self), *self.args), self.__dict__ or None


def _unpickled(kind: type[VideoJobsClientError], *shown: Any) -> VideoJobsClientError:
    return kind.__new__(kind, *shown)


class ResultsError(VideoJobsClientError):
    """The results contradict themselves, or lack what is asked of them."""


class MissingExtraError(VideoJobsClientError):
    """A package that this needs is not installed; the message says how to install it."""


class AnnotationError(VideoJobsClientError):
    """The video cannot be annotated."""


class SoundError(AnnotationError):
    """MP4 cannot hold a sound of the video: annotate it without sound."""


class SourceError(VideoJobsClientError):
    """The video that is to be submitted is no file, URL or content that can be sent."""


class UploadError(VideoJobsClientError):
    """The video could not be uploaded; the same call goes on where it ended.

    Attributes
    ----------
    job_id
        The job that waits for the video, if there is one.
    """

    job_id: str | None = None


class VideoFileChangedError(UploadError):
    """The file changed while it was uploaded: submit it again when it is complete."""


class DownloadError(VideoJobsClientError):
    """The storage does not give a file."""


class ArgumentError(VideoJobsClientError, ValueError):
    """An argument of a call cannot be right; the message says what it may be."""


class TokenProviderError(VideoJobsClientError):
    """The ``token_provider`` gave no token."""


class ServiceUnreachableError(VideoJobsClientError):
    """The service gave no answer, however often it was asked."""


class UnexpectedAnswerError(VideoJobsClientError):
    """The answer is none that the service gives, for example a page for people."""


class UnknownStatusError(UnexpectedAnswerError):
    """The job has a status that this package does not know: install a newer one."""


class WebhookError(VideoJobsClientError):
    """A call to ``callback_url`` that does not come from the service, or was changed or repeated."""


class WaitTimeoutError(VideoJobsClientError):
    """The time for waiting is over; the job goes on."""


class JobFailedError(VideoJobsClientError):
    """The job failed.

    Attributes
    ----------
    job_id
        Which job it was.
    code
        The stable word for the reason, as in the job's ``error``.
    """

    def __init__(self, job_id: str, code: str, message: str) -> None:
        super().__init__(message)
        self.job_id, self.code = job_id, code


class ApiError(VideoJobsClientError):
    """The service refused a request; the message is its own.

    Attributes
    ----------
    status
        The HTTP status.
    code
        The stable word of the problem; empty if API Gateway refused the request.
    request_id
        With it, the operator finds the request in the log; empty if the answer has none.
    retry_after_s
        When to ask again, in seconds, if the service says so.
    """

    known_code: ClassVar[str] = ""

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str = "",
        request_id: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.request_id, self.retry_after_s = status, code, request_id, retry_after_s


class InvalidRequestError(ApiError):
    """An option or parameter is wrong; the message names it."""

    known_code = "invalid_request"


class InvalidCursorError(InvalidRequestError):
    """The cursor does not belong to this list."""

    known_code = "invalid_cursor"


class InvalidMp4Error(InvalidRequestError):
    """The file is no video of the MP4 family."""

    known_code = "invalid_mp4"


class UnknownLanguageError(InvalidRequestError):
    """The service offers no such language."""

    known_code = "unknown_language"


class UnknownPipelineError(InvalidRequestError):
    """The service has no such pipeline."""

    known_code = "unknown_pipeline"


class UnauthenticatedError(ApiError):
    """The token is missing, wrong or expired."""

    known_code = "unauthenticated"


class ForbiddenError(ApiError):
    """The token is valid, but does not allow this."""


class NotFoundError(ApiError):
    """What was asked for is not there."""


class JobNotFoundError(NotFoundError):
    """There is no such job, or it belongs to somebody else."""

    known_code = "job_not_found"


class JobNotCompletedError(NotFoundError):
    """The job has no results yet."""

    known_code = "job_not_completed"


class NoSummaryError(NotFoundError):
    """The job ran before there were summaries."""

    known_code = "no_summary"


class VideoMissingError(NotFoundError):
    """The job has no video, not yet or no longer."""

    known_code = "video_missing"


class RouteNotFoundError(NotFoundError):
    """The service has no such route: its version is older than this package, or the URL is wrong."""

    known_code = "route_not_found"


class MethodNotAllowedError(ApiError):
    """The route does not take this method."""

    known_code = "method_not_allowed"


class ConflictError(ApiError):
    """The job changed meanwhile, so that nothing was done."""

    known_code = "conflict"


class JobStateError(ConflictError):
    """The job's state does not allow this."""

    known_code = "job_state"


class ResultsRestartedError(ConflictError):
    """The results were computed anew: drop those that you have, and start again without a cursor."""

    known_code = "results_restarted"


class UploadIncompleteError(ConflictError):
    """Parts of the upload are missing."""

    known_code = "upload_incomplete"


class VideoTooLargeError(ApiError):
    """The video is larger than the service takes."""

    known_code = "video_too_large"


class UnsupportedMediaTypeError(ApiError):
    """The service does not take this type of content."""

    known_code = "unsupported_media_type"


class IdempotencyMismatchError(ApiError):
    """The Idempotency-Key was used for another request."""

    known_code = "idempotency_mismatch"


class TooManyRequestsError(ApiError):
    """There were too many requests; ``retry_after_s`` says when to ask again."""


class QuotaExceededError(TooManyRequestsError):
    """You have as many jobs as you may have."""

    known_code = "quota_exceeded"


class ServerError(ApiError):
    """The service failed; the same call may work later."""


class InternalError(ServerError):
    """Something went wrong in the service: tell its operator the request_id."""

    known_code = "internal_error"


class TemporarilyUnavailableError(ServerError):
    """A service that this one depends on did not answer."""

    known_code = "temporarily_unavailable"
