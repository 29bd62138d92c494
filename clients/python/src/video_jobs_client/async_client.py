"""The client for programs with an event loop (asyncio or Trio)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, Self, Unpack

import httpx2

from video_jobs_client.addresses import refuse_plain_http
from video_jobs_client.async_jobs import AsyncJob, AsyncJobs
from video_jobs_client.models import Health, Pipelines, Quote
from video_jobs_client.options import Options, QuoteOptions, as_json
from video_jobs_client.protocol.async_driver import AsyncDriver
from video_jobs_client.protocol.calls import Calls
from video_jobs_client.protocol.effects import Answer, Request
from video_jobs_client.protocol.http import http_client
from video_jobs_client.protocol.retries import Retries
from video_jobs_client.settings import find_server, stored_or_given
from video_jobs_client.uploads import Source, UploadSettings


class AsyncClient:
    """A client of one service.

    Every call raises `ApiError` (by its ``code``), `ServiceUnreachableError` or `UnexpectedAnswerError`, all
    of which are `VideoJobsClientError`. Several tasks may use it.

    Parameters
    ----------
    base_url
        The address of the API; None for ``VIDEO_JOBS_URL``, or that of the profile.
    token
        Is sent with each request; None for ``VIDEO_JOBS_TOKEN``, or that of the profile's login.
    token_provider
        In place of ``token``: is called before each request, in a thread unless it is a coroutine function.
    profile
        The profile that tells the address and how to log in, if not the default one.
    retries
        How often and when a request is sent again.
    timeout_s
        How long connecting, and each pause of an answer, may take.
    transport
        Replaces the network, for tests.

    Examples
    --------
    >>> import asyncio
    >>> async def main() -> None:
    ...     async with AsyncClient("http://127.0.0.1:8000") as client:
    ...         job = await client.analyse("clip.mp4", frames_per_second=2, end_ms=1500)
    ...         await job.wait()
    ...         async for frame in job.frames():
    ...             print(frame.timestamp_ms, "HARBOUR" in frame.lines)
    >>> asyncio.run(main())
    0 True
    500 True
    1000 False
    """

    def __init__(
        self,
        base_url: str | None = None,
        token: str | None = None,
        *,
        token_provider: Callable[[], str | Awaitable[str | None] | None] | None = None,
        profile: str | None = None,
        retries: Retries | None = None,
        timeout_s: float = 30.0,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        server = find_server(base_url, token, profile)
        if token_provider is not None:
            refuse_plain_http(server.url, "the address of the server")
        self._calls = Calls(server.url, retries or Retries(), timeout_s)
        self._http = http_client(httpx2.AsyncClient, server.url, transport)
        self._driver = AsyncDriver(self._http, token_provider or stored_or_given(server))
        self.jobs = AsyncJobs(self._calls, self._driver)

    async def analyse(
        self,
        source: Source,
        *,
        upload: UploadSettings | None = None,
        idempotency_key: str | None = None,
        **options: Unpack[Options],
    ) -> AsyncJob:
        """Submit a video: in the request, with a form, in parts, or by its URL, whichever fits.

        Parameters
        ----------
        source
            A path, a URL (``https://``), the content itself, or an open binary file.
        upload
            How to upload it, and whom to tell how far it is.
        idempotency_key
            Repeating the call with the same key makes no second job; None makes a new one.
        **options
            What to analyse, see `Options`.
        """
        return await self.jobs.submit(source, upload=upload, idempotency_key=idempotency_key, **options)

    async def quote(self, **facts: Unpack[QuoteOptions]) -> Quote:
        """What a job would take and cost; ``size_bytes`` or ``duration_ms`` of its video is needed."""
        return await self._driver.run(self._calls.quote(as_json(facts)))

    async def pipelines(self) -> Pipelines:
        """The pipelines and text engines that a job may ask for."""
        return await self._driver.run(self._calls.pipelines())

    async def health(self) -> Health:
        """Whether the service answers."""
        return await self._driver.run(self._calls.health())

    async def openapi(self) -> dict[str, Any]:
        """The OpenAPI document of the service."""
        return await self._driver.run(self._calls.openapi())

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | None] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> Answer:
        """Send any request to the service; gives its answer as it is, refusals included."""
        request = Request(method, path, params or {}, headers or {}, content)
        return await self._driver.run(self._calls.raw(request))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
