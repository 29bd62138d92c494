"""Which errors of the AWS SDK are transient."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore import exceptions
from botocore.exceptions import ClientError

from video_jobs.domain.errors import TransientError

TRANSIENT_CODES = frozenset(
    {"Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "SlowDown"}
    | {"TooManyRequestsException", "ProvisionedThroughputExceededException", "RequestLimitExceeded"}
    | {"RequestTimeout", "RequestTimeoutException", "TransactionInProgressException"}
    | {"TransactionConflictException"}
    | {"InternalError", "InternalServerError", "InternalFailure", "ServiceUnavailable", "503", "500"}
)
_NETWORK_ERRORS = (
    exceptions.ConnectionError,
    exceptions.HTTPClientError,
    exceptions.IncompleteReadError,
)


def error_code(error: BaseException | None) -> str:
    """The AWS error code of a `ClientError`, or an empty string."""
    return str(_response(error).get("Error", {}).get("Code", ""))


def is_transient(error: BaseException | None) -> bool:
    """Whether the same call may work later: throttling, an error of the service or of the network."""
    if isinstance(error, _NETWORK_ERRORS):
        return True
    status = _response(error).get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return error_code(error) in TRANSIENT_CODES or int(status) >= 500


@contextmanager
def transient_errors_translated(service: str) -> Iterator[None]:
    """Raise `TransientError` for a transient error; any other error passes unchanged."""
    try:
        yield
    except (ClientError, *_NETWORK_ERRORS) as exc:
        if not is_transient(exc):
            raise
        raise TransientError(f"{service} did not answer: {error_code(exc) or type(exc).__name__}") from exc


def _response(error: BaseException | None) -> dict[str, Any]:
    response: dict[str, Any] | None = getattr(error, "response", None)
    return response or {}
