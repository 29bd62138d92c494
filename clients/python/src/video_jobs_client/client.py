"""The client for programs that wait for each answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self, Unpack

import httpx2

from video_jobs_client.addresses import refuse_plain_http
from video_jobs_client.jobs import Job, Jobs
from video_jobs_client.models import Health, Pipelines, Quote
from video_jobs_client.options import Options, QuoteOptions, as_json
from video_jobs_client.protocol.calls import Calls
from video_jobs_client.protocol.effects import Answer, Request
from video_jobs_client.protocol.http import http_client
from video_jobs_client.protocol.retries import Retries
from video_jobs_client.protocol.sync_driver import SyncDriver
from video_jobs_client.settings import find_server, stored_or_given
from video_jobs_client.uploads import Source, UploadSettings


class Client:
    """A client of one service.

    Every call raises `ApiError` (by its ``code``), `ServiceUnreachableError` or `UnexpectedAnswerError`, all
    of which are `VideoJobsClientError`. Several threads may use it.

    Parameters
    ----------
    base_url
        The address of the API; None for ``VIDEO_JOBS_URL``, or that of the profile.
    token
        Is sent with each request; None for ``VIDEO_JOBS_TOKEN``, or that of the profile's login.
    token_provider
        In place of ``token``: is called before each request.
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
    >>> with Client("http://127.0.0.1:8000") as client:
    ...     job = client.analyse("clip.mp4", frames_per_second=2, end_ms=1500).wait()
    ...     for frame in job.frames():
    ...         print(frame.timestamp_ms, "HARBOUR" in frame.lines)
    0 True
    500 True
    1000 False
    """

    def __init__(
        self,
        base_url: str | None = None,
        token: str | None = None,
        *,
        token_provider: Callable[[], str | None] | None = None,
        profile: str | None = None,
        retries: Retries | None = None,
        timeout_s: float = 30.0,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        server = find_server(base_url, token, profile)
        if token_provider is not None:
            refuse_plain_http(server.url, "the address of the server")
        self._calls = Calls(server.url, retries or Retries(), timeout_s)
        self._http = http_client(httpx2.Client, server.url, transport)
        self._driver = SyncDriver(self._http, token_provider or stored_or_given(server))
        self.jobs = Jobs(self._calls, self._driver)

    def analyse(
        self,
        source: Source,
        *,
        upload: UploadSettings | None = None,
        idempotency_key: str | None = None,
        **options: Unpack[Options],
    ) -> Job:
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
        return self.jobs.submit(source, upload=upload, idempotency_key=idempotency_key, **options)

    def quote(self, **facts: Unpack[QuoteOptions]) -> Quote:
        """What a job would take and cost; ``size_bytes`` or ``duration_ms`` of its video is needed.

        Examples
        --------
        >>> quote = client.quote(duration_ms=60_000, average_frame_rate=10, width=640, height=360)
        >>> quote.video.frames
        600
        """
        return self._driver.run(self._calls.quote(as_json(facts)))

    def pipelines(self) -> Pipelines:
        """The pipelines and text engines that a job may ask for."""
        return self._driver.run(self._calls.pipelines())

    def health(self) -> Health:
        """Whether the service answers."""
        return self._driver.run(self._calls.health())

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document of the service."""
        return self._driver.run(self._calls.openapi())

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | None] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> Answer:
        """Send any request to the service; gives its answer as it is, refusals included.

        Examples
        --------
        >>> client.request("GET", "/health").status
        200
        """
        request = Request(method, path, params or {}, headers or {}, content)
        return self._driver.run(self._calls.raw(request))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
