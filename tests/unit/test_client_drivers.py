"""How requests are sent: the token, what the log shows, and the time that all of it may take."""

from __future__ import annotations

import threading
from typing import Any

import anyio
import httpx2
import pytest
from video_jobs_client import Client, errors
from video_jobs_client.protocol.effects import together
from video_jobs_client.settings import SettingsError

from tests.support.played_service import JOB_ID, URL, PlayedService, answer, job, status_of
from tests.unit.test_client_requests import BOTH
from tests.unit.test_client_waiting import waited


@BOTH
def test_a_token_provider_that_is_slow_does_not_make_a_wait_longer(is_async: bool) -> None:
    # GIVEN a provider that is fast once, and then never ends
    released = threading.Event()
    given = iter(["first"])

    def provide() -> str:
        return next(given, "") or ("late" if released.wait(20) else "never")

    # WHEN a job is waited for
    service = PlayedService([answer(job("running")), answer(status_of("running"))])
    try:
        with pytest.raises(errors.WaitTimeoutError):
            waited(service, 0.3, is_async, token_provider=provide)
    finally:
        ended_before = not released.is_set()
        released.set()

    # THEN the wait ends in time, and the question was never sent
    assert ended_before
    assert service.paths == [f"GET /video/jobs/{JOB_ID}"]


def test_the_event_loop_goes_on_while_a_token_is_fetched() -> None:
    # GIVEN a provider that blocks its thread until the event loop lets it go
    async def main() -> list[str]:
        free = threading.Event()

        def provide() -> str:
            return "token" if free.wait(10) else "the event loop stood still"

        async def let_go() -> None:
            free.set()

        service = PlayedService([answer({"status": "ok"})])
        async with service.async_client(token_provider=provide) as client, anyio.create_task_group() as group:
            # WHEN another task is to run at the same time
            group.start_soon(client.health)
            group.start_soon(let_go)
        return [one.headers["authorization"] for one in service.asked]

    # THEN it runs
    assert anyio.run(main) == ["Bearer token"]


@pytest.mark.parametrize("kind", ["coroutine function", "gives an awaitable"])
def test_a_provider_may_be_asynchronous(kind: str) -> None:
    async def provide() -> str:
        await anyio.sleep(0)
        return "token"

    service = PlayedService([answer(job())])
    provider = provide if kind == "coroutine function" else lambda: provide()
    service.did("get", JOB_ID, is_async=True, token_provider=provider)
    assert service.asked[0].headers["authorization"] == "Bearer token"


@BOTH
def test_a_provided_token_is_trimmed_and_checked(is_async: bool) -> None:
    service = PlayedService([answer(job())])
    service.did("get", JOB_ID, is_async=is_async, token_provider=lambda: "token\n")
    assert service.asked[0].headers["authorization"] == "Bearer token"
    with pytest.raises(SettingsError, match="characters that no token has") as failed:
        PlayedService([]).did("get", JOB_ID, is_async=is_async, token_provider=lambda: "to\nken")
    assert "\nken" not in str(failed.value)


@BOTH
@pytest.mark.parametrize("failure", [httpx2.ConnectError("no issuer"), TimeoutError("too slow")])
def test_a_provider_that_fails_does_not_look_like_a_service_that_is_away(
    is_async: bool, failure: Exception
) -> None:
    def provide() -> str:
        raise failure

    service = PlayedService([])
    with pytest.raises(errors.TokenProviderError, match=f"{type(failure).__name__}: {failure}"):
        service.did("get", JOB_ID, is_async=is_async, token_provider=provide)
    assert service.retries == []


def test_an_operation_that_fails_is_told_while_another_one_hangs() -> None:
    # GIVEN an operation that fails, and one that hangs
    hangs, released, has_ended = threading.Event(), threading.Event(), threading.Event()

    def answer_to(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/hangs":
            hangs.set()
            released.wait(5)
            has_ended.set()
        return httpx2.Response(404, content=b"")

    with Client(URL, transport=httpx2.MockTransport(answer_to)) as client:
        calls, driver = client._calls, client._driver

        def fails() -> Any:
            yield from calls.download(f"{URL}/{'fails' if hangs.wait(20) else ''}")

        # WHEN both run at the same time
        try:
            with pytest.raises(errors.DownloadError):
                driver.run(together([calls.download(f"{URL}/hangs"), fails()], 2))
            waited_for = has_ended.is_set()
            left = [one for one in threading.enumerate() if one.name.startswith("video-jobs")]
        finally:
            released.set()

    # THEN the failure is told at once, and no thread keeps the program alive
    assert not waited_for
    assert left
    assert all(one.daemon for one in left)
