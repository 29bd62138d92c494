"""What both drivers share: how a request is handed to the HTTP library, and what comes back."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import Any, TypeVar

import httpx2

from video_jobs_client.protocol.effects import Answer, Request

T = TypeVar("T")
TRANSPORT_ERRORS = (httpx2.TransportError, httpx2.DecodingError, httpx2.TooManyRedirects)


def prepared(request: Request, token: str | None, within_s: float | None) -> dict[str, Any]:
    """The arguments of the library's ``stream``, without the content."""
    headers = dict(request.headers)
    content = request.content
    if content is not None and not isinstance(content, bytes):
        headers["content-length"] = str(content.size_bytes)  # S3 takes no body of unknown length
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    params = {name: value for name, value in request.params.items() if value is not None}
    timeout_s = request.timeout_s if within_s is None else min(request.timeout_s, within_s)
    return {
        "method": request.method,
        "url": request.url,
        "params": params or None,  # an empty query would take a signature away
        "headers": headers,
        "timeout": timeout_s,
        "follow_redirects": request.is_signed,
    }


def received(response: httpx2.Response, content: bytes) -> Answer:
    """The answer with its body."""
    return Answer(response.status_code, dict(response.headers), content)


def reason_of(error: Exception) -> str:
    """Why nothing came back, in words that hold no URL."""
    name = type(error).__name__
    return _REASONS.get(name, f"the connection broke: {name}")


def within(seconds: float, function: Callable[[], T]) -> T:
    """What a function gives, in a thread of its own, because a slow server can hold up every single read.

    Raises
    ------
    TimeoutError
        If it takes longer; the thread then ends with its connection, and keeps no program alive.
    """
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(function())
        except BaseException as error:  # noqa: BLE001 - is raised again where it is waited for
            outcome.set_exception(error)

    Thread(target=run, name="video-jobs-answer", daemon=True).start()
    return outcome.result(seconds)


_REASONS = {
    "ConnectError": "no connection",
    "ConnectTimeout": "no connection in time",
    "ReadTimeout": "no answer in time",
    "WriteTimeout": "the request could not be sent in time",
    "PoolTimeout": "too many requests at the same time",
    "RemoteProtocolError": "the connection was closed before the answer was complete",
    "ReadError": "the connection was closed while it answered",
    "WriteError": "the connection was closed while the request was sent",
}
