"""Do the steps of an operation without blocking the event loop (asyncio or Trio)."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar, cast

import anyio
import anyio.to_thread
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

T = TypeVar("T")


class AsyncDriver:
    """Does the steps of operations; several may run at the same time."""

    def __init__(
        self, http: httpx2.AsyncClient, token: Callable[[], str | Awaitable[str | None] | None]
    ) -> None:
        self._http, self._token = http, token

    async def run(self, steps: Steps[T]) -> T:
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
                    go_on = partial(steps.send, await self._do(effect))
                except VideoJobsClientError as error:
                    go_on = partial(steps.throw, error)

    async def _do(self, effect: Effect) -> Any:
        match effect:
            case Send(request, within_s):
                return await self._send(request, within_s)
            case Pause(seconds):
                return await anyio.sleep(seconds)
            case Call(function):
                # may read from what never ends
                return await anyio.to_thread.run_sync(function, abandon_on_cancel=True)
            case Together(operations, limit):
                return await self._together(operations, limit)

    async def _send(self, request: Request, within_s: float | None) -> Answer | NoAnswer:
        try:
            with anyio.fail_after(within_s):
                return await self._exchange(request, within_s)
        except TRANSPORT_ERRORS as error:
            return no_answer(error)
        except TimeoutError:
            return NoAnswer("no answer in time")

    async def _exchange(self, request: Request, within_s: float | None) -> Answer:
        arguments = prepared(request, None if request.is_signed else await self._current_token(), within_s)
        body = request.content
        content = body if body is None or isinstance(body, bytes) else _Content(body)
        async with self._http.stream(**arguments, content=content) as response:
            return await self._received(response, request)

    async def _received(self, response: httpx2.Response, request: Request) -> Answer:
        if request.target is None or response.status_code != 200:
            return received(response, await response.aread())
        with replacing(request.target) as path:
            size_bytes = 0
            async with await anyio.open_file(path, "wb") as file:
                async for piece in response.aiter_bytes():
                    size_bytes += await file.write(piece)
            if request.check is not None:
                await anyio.to_thread.run_sync(request.check, path, size_bytes)
        return received(response, b"")

    async def _current_token(self) -> str | None:
        try:
            if inspect.iscoroutinefunction(self._token):
                return cast("str | None", await self._token())
            # may read files and ask an issuer, and shall not outlive a deadline
            token = await anyio.to_thread.run_sync(self._token, abandon_on_cancel=True)
            return await token if inspect.isawaitable(token) else token
        except (*TRANSPORT_ERRORS, TimeoutError) as error:
            raise failed_provider(error) from error

    async def _together(self, operations: Sequence[Steps[Any]], limit: int) -> list[Any]:
        values: list[Any] = [None] * len(operations)
        free = anyio.CapacityLimiter(limit)

        async def one(place: int) -> None:
            async with free:
                values[place] = await self.run(operations[place])

        try:
            async with anyio.create_task_group() as group:
                for place in range(len(operations)):
                    group.start_soon(one, place)
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from None
        return values


@dataclass(frozen=True, slots=True)
class _Content:
    """A body that is read from its start again if the storage redirects."""

    body: Body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        chunks = self.body.chunks()
        while (chunk := await anyio.to_thread.run_sync(next, chunks, None)) is not None:
            yield chunk
