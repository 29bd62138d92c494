"""Errors of PynamoDB as errors of this product."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pynamodb.exceptions import DeleteError, DoesNotExist, PutError, PynamoDBException, UpdateError

from video_jobs.adapters.aws.errors import is_transient
from video_jobs.domain.errors import ConflictError, TransientError


@contextmanager
def dynamodb_errors_translated() -> Iterator[None]:
    """Raise `ConflictError` for a condition that does not hold, and `TransientError` for what may pass."""
    try:
        yield
    except (PutError, UpdateError, DeleteError) as exc:
        if exc.cause_response_code == "ConditionalCheckFailedException":
            raise ConflictError from exc
        raise _translated(exc) from exc
    except DoesNotExist:
        raise
    except PynamoDBException as exc:
        raise _translated(exc) from exc


def _translated(error: PynamoDBException) -> Exception:
    if is_transient(error.cause):
        return TransientError(f"DynamoDB did not answer: {error.cause_response_code or 'no connection'}")
    return error
