"""From answers to typed models and typed errors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from video_jobs_client import errors
from video_jobs_client.models.base import NOT_AS_EXPECTED, Model
from video_jobs_client.protocol.effects import Answer
from video_jobs_client.protocol.retries import retry_after_s

ModelT = TypeVar("ModelT", bound=Model)
_BY_STATUS: dict[int, type[errors.ApiError]] = {
    401: errors.UnauthenticatedError,
    403: errors.ForbiddenError,
    404: errors.NotFoundError,
    413: errors.VideoTooLargeError,
    429: errors.TooManyRequestsError,
}
_SENTENCES = {
    401: "The service takes no request without a valid token (status 401): log in, or check the token",
    403: "The service, or a proxy before it, does not allow this request (status 403)",
    413: "The video is larger than the service, or a proxy before it, takes in one request (status 413)",
    429: "The service gets too many requests (status 429): try again later",
}
_SHOWN = 200


def model_of(answer: Answer, kind: type[ModelT]) -> ModelT:
    """The answer as a model; fields that it does not know are ignored.

    Raises
    ------
    ApiError
        If the service refused the request: the class for its ``code``.
    UnexpectedAnswerError
        If it is no answer of the service.
    """
    content = content_of(answer)
    try:
        return msgspec.json.decode(content, type=kind)
    except NOT_AS_EXPECTED as error:
        raise errors.UnexpectedAnswerError(f"{_not_expected(answer)} ({error})") from None


def json_of(answer: Answer, *fields: str) -> dict[str, Any]:
    """The answer as it is, if it has these fields; raises the same errors."""
    content = content_of(answer)
    try:
        told = msgspec.json.decode(content, type=dict[str, Any])
    except NOT_AS_EXPECTED as error:
        raise errors.UnexpectedAnswerError(f"{_not_expected(answer)} ({error})") from None
    missing = [name for name in fields if name not in told]
    if missing:
        raise errors.UnexpectedAnswerError(f"{_not_expected(answer)} (it has no {missing[0]})")
    return told


def content_of(answer: Answer) -> bytes:
    """The content of a good answer; raises the same errors."""
    if 200 <= answer.status < 300:
        return answer.content
    raise error_of(answer)


def error_of(answer: Answer) -> errors.VideoJobsClientError:
    """The error that a refusal tells."""
    if 300 <= answer.status < 400:
        return errors.UnexpectedAnswerError(
            f"The service redirects to {_without_query(answer.headers.get('location', 'nowhere'))}: "
            "use the address of the API itself"
        )
    told = _told(answer)
    message = told.get("detail") or told.get("message")
    if not isinstance(message, str):
        message = _message_for(answer.status)
    if message is None:
        return errors.UnexpectedAnswerError(_not_expected(answer))
    code = str(told.get("code", ""))
    return _class_for(code, answer.status)(
        message,
        status=answer.status,
        code=code,
        request_id=str(told.get("request_id", "")),
        retry_after_s=retry_after_s(answer, datetime.now(UTC)),
    )


def refusal_of(answer: Answer) -> str:
    """The status and the code that the storage refuses a request with."""
    code = re.search(rb"<Code>(\w{1,60})</Code>", answer.content)
    return f"status {answer.status}{f' ({code[1].decode()})' if code else ''}"


def _told(answer: Answer) -> dict[str, Any]:
    try:
        return msgspec.json.decode(answer.content, type=dict[str, Any])
    except NOT_AS_EXPECTED:
        return {}


def _class_for(code: str, status: int) -> type[errors.ApiError]:
    known = CLASSES_BY_CODE.get(code) or _BY_STATUS.get(status)
    if known is not None:
        return known
    return errors.ServerError if status >= 500 else errors.ApiError


def _message_for(status: int) -> str | None:
    """What a refusal means that others gave before the service was asked; None if nobody can tell."""
    if status >= 500:
        return f"The service failed with status {status}"
    return _SENTENCES.get(status)


def _not_expected(answer: Answer) -> str:
    kind = answer.headers.get("content-type", "no type").split(";")[0]
    return f"An answer with status {answer.status} ({kind}) is none of the service: is its URL right?"


def _without_query(url: str) -> str:
    return url.partition("?")[0][:_SHOWN]


def _all_classes(kind: type[errors.ApiError]) -> Iterator[type[errors.ApiError]]:
    yield kind
    for one in kind.__subclasses__():
        yield from _all_classes(one)


CLASSES_BY_CODE = {one.known_code: one for one in _all_classes(errors.ApiError) if one.known_code}
