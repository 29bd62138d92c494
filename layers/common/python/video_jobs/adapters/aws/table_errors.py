"""Errors of DynamoDB, as PynamoDB raises them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pynamodb.exceptions import DeleteError, DoesNotExist, PutError, PynamoDBException, UpdateError

from video_jobs.adapters.aws.errors import error_code, is_transient
from video_jobs.domain.errors import ConflictError, TransientError


@contextmanager
def table_errors_translated() -> Iterator[None]:
    """Raise `ConflictError` if a write's condition does not hold, and `TransientError` for a transient error.

    Any other error passes unchanged.
    """
    try:
        yield
    except (PutError, UpdateError, DeleteError) as exc:
        if error_code(exc.cause) == "ConditionalCheckFailedException":
            raise ConflictError from exc
        raise _translated(exc) from exc
    except DoesNotExist:
        raise
    except PynamoDBException as exc:
        raise _translated(exc) from exc


def _translated(error: PynamoDBException) -> Exception:
    if is_transient(error.cause):
        return TransientError(f"DynamoDB did not answer: {error_code(error.cause) or 'no connection'}")
    return error
