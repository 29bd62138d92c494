"""Do the steps of an operation one after the other, in the thread of the caller."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import httpx2

from video_jobs_client.errors import VideoJobsClientError
from video_jobs_client.files import replacing
from video_jobs_client.protocol.effects import (
    Answer,
    Body,
    Call,
    Effect,
    NoAnswer,
    Pause,
    Request,
    Send,
    Steps,
    Together,
)
from video_jobs_client.protocol.http import (
    TRANSPORT_ERRORS,
    failed_provider,
    no_answer,
    prepared,
    received,
)
from video_jobs_client.protocol.threads import OutOfTimeError, all_of, within

T = TypeVar("T")


class _StoppedError(Exception):
    """Another operation of the same `Together` failed."""


class SyncDriver:
    """Does the steps of operations; may be used by several threads."""

    def __init__(self, http: httpx2.Client, token: Callable[[], str | None]) -> None:
        self._http, self._token = http, token

    def run(self, steps: Steps[T], stop: threading.Event | None = None) -> T:
        """Do all steps; gives what the operation gives."""
        go_on = partial(steps.send, None)
        with closing(steps):
            while True:
                try:
                    effect = go_on()
                except StopIteration as end:
                    result: T = end.value
                    return result
                try:
                    go_on = partial(steps.send, self._do(effect, stop or threading.Event()))
                except VideoJobsClientError as error:
                    go_on = partial(steps.throw, error)

    def _do(self, effect: Effect, stop: threading.Event) -> Any:
        match effect:
            case Send(request, within_s):
                return self._send(request, within_s, stop)
            case Pause(seconds):
                if stop.wait(min(seconds, threading.TIMEOUT_MAX)):
                    raise _StoppedError
                return None
            case Call(function):
                return function()
            case Together(operations, limit):
                return self._together(operations, limit)

    def _send(self, request: Request, within_s: float | None, stop: threading.Event) -> Answer | NoAnswer:
        try:
            return within(within_s, partial(self._exchange, request, within_s, stop))
        except TRANSPORT_ERRORS as error:
            return no_answer(error)
        except OutOfTimeError:
            return NoAnswer("no answer in time")

    def _exchange(self, request: Request, within_s: float | None, stop: threading.Event) -> Answer:
        arguments = prepared(request, None if request.is_signed else self._current_token(), within_s)
        body, target = request.content, request.target
        content = body if body is None or isinstance(body, bytes) else _Content(body, stop)
        with self._http.stream(**arguments, content=content) as response:
            if target is None or response.status_code != 200:
                return received(response, response.read())
            with replacing(target) as path:
                with path.open("wb") as file:
                    size_bytes = sum(map(file.write, response.iter_bytes()))
                if request.check is not None:
                    request.check(path, size_bytes)
            return received(response, b"")

    def _current_token(self) -> str | None:
        try:
            return self._token()
        except (*TRANSPORT_ERRORS, TimeoutError) as error:
            raise failed_provider(error) from error

    def _together(self, operations: Sequence[Steps[Any]], limit: int) -> list[Any]:
        stop = threading.Event()
        return all_of([partial(self.run, operation, stop) for operation in operations], limit, stop)


@dataclass(frozen=True, slots=True)
class _Content:
    """A body that is read from its start again if the storage redirects."""

    body: Body
    stop: threading.Event

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self.body.chunks():
            if self.stop.is_set():
                raise _StoppedError
            yield chunk
