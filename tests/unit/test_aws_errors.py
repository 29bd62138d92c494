"""Which errors of the SDK count as passing."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError, ReadTimeoutError
from video_jobs.adapters.aws.errors import transient_errors_translated
from video_jobs.domain.errors import TransientError


def client_error(code: str, status: int) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
        "Operation",
    )


@pytest.mark.parametrize(
    "error",
    [
        client_error("ThrottlingException", 400),
        client_error("SlowDown", 503),
        client_error("Anything", 500),
        EndpointConnectionError(endpoint_url="u"),
        ReadTimeoutError(endpoint_url="u"),
        ConnectionClosedError(endpoint_url="u"),
    ],
)
def test_what_may_pass_becomes_transient(error: Exception) -> None:
    with pytest.raises(TransientError, match="S3 did not answer"), transient_errors_translated("S3"):
        raise error


@pytest.mark.parametrize("error", [client_error("AccessDenied", 403), ValueError("x")])
def test_anything_else_goes_through_untouched(error: Exception) -> None:
    with pytest.raises(type(error)), transient_errors_translated("S3"):
        raise error
