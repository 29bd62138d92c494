"""Do the steps of an operation one after the other, in the thread of the caller."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import closing
from functools import partial
from pathlib import Path
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
from video_jobs_client.protocol.http import TRANSPORT_ERRORS, prepared, reason_of, received, within

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
                if stop.wait(seconds):
                    raise _StoppedError
                return None
            case Call(function):
                return function()
            case Together(operations, limit):
                return self._together(operations, limit)

    def _send(self, request: Request, within_s: float | None, stop: threading.Event) -> Answer | NoAnswer:
        arguments = prepared(request, None if request.is_signed else self._token(), within_s)
        body = request.content
        content = body if body is None or isinstance(body, bytes) else _until(stop, body)
        exchange = partial(self._exchange, {**arguments, "content": content}, request.target)
        try:
            return exchange() if within_s is None else within(within_s, exchange)
        except TRANSPORT_ERRORS as error:
            return NoAnswer(reason_of(error))
        except TimeoutError:
            return NoAnswer("no answer in time")

    def _exchange(self, arguments: dict[str, Any], target: Path | None) -> Answer:
        with self._http.stream(**arguments) as response:
            if target is None or not response.is_success:
                return received(response, response.read())
            with replacing(target) as path, path.open("wb") as file:
                for piece in response.iter_bytes():
                    file.write(piece)
            return received(response, b"")

    def _together(self, operations: Sequence[Steps[Any]], limit: int) -> list[Any]:
        stop = threading.Event()
        with ThreadPoolExecutor(max_workers=limit, thread_name_prefix="video-jobs") as pool:
            running = [pool.submit(self.run, operation, stop) for operation in operations]
            try:
                wait(running, return_when=FIRST_EXCEPTION)
                failed = next((one for one in running if one.done() and one.exception()), None)
                if failed is not None:
                    failed.result()
                return [one.result() for one in running]
            finally:
                stop.set()
                pool.shutdown(wait=False, cancel_futures=True)


def _until(stop: threading.Event, body: Body) -> Iterator[bytes]:
    for chunk in body.chunks():
        if stop.is_set():
            raise _StoppedError
        yield chunk
