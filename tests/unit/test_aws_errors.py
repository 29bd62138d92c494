"""Which errors of the SDK and of PynamoDB count as passing."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError, ReadTimeoutError
from pynamodb.exceptions import (
    DeleteError,
    DoesNotExist,
    GetError,
    PutError,
    PynamoDBException,
    QueryError,
    UpdateError,
)
from video_jobs.adapters.aws.errors import transient_errors_translated
from video_jobs.adapters.aws.table_errors import table_errors_translated
from video_jobs.domain.errors import ConflictError, TransientError


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


@pytest.mark.parametrize("raised", [PutError, UpdateError, DeleteError, QueryError, GetError])
def test_errors_of_a_table_are_told_apart(raised: type[PynamoDBException]) -> None:
    for code, wanted in (
        ("ThrottlingException", TransientError),
        ("InternalServerError", TransientError),
        ("ResourceNotFoundException", raised),
    ):
        with pytest.raises(wanted), table_errors_translated():
            raise raised(cause=client_error(code, 400))
    with pytest.raises(TransientError, match="no connection"), table_errors_translated():
        raise raised(cause=ConnectionClosedError(endpoint_url="u"))


@pytest.mark.parametrize("raised", [PutError, UpdateError, DeleteError])
def test_only_a_condition_that_does_not_hold_is_a_conflict(raised: type[PynamoDBException]) -> None:
    with pytest.raises(ConflictError), table_errors_translated():
        raise raised(cause=client_error("ConditionalCheckFailedException", 400))
    with pytest.raises(GetError), table_errors_translated():
        raise GetError(cause=client_error("ConditionalCheckFailedException", 400))


def test_an_item_that_does_not_exist_is_no_error_of_the_table() -> None:
    with pytest.raises(DoesNotExist), table_errors_translated():
        raise DoesNotExist
