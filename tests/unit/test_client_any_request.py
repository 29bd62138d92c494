"""Requests that the caller makes up: how often they are sent, and where they lead."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from video_jobs_client import errors
from video_jobs_client.protocol.effects import Answer

from tests.support.played_service import PlayedService, Reply, answer
from tests.unit.test_client_requests import BOTH


def sent(service: PlayedService, is_async: bool, *arguments: Any, **named: Any) -> Answer:
    """The answer to ``client.request``."""
    with service.user(is_async, token="secret", timeout_s=1.5) as user:
        found: Answer = user.do(user.client.request, *arguments, **named)
        return found


KEY = {"headers": {"Idempotency-Key": "k"}}


@BOTH
@pytest.mark.parametrize(
    ("method", "named", "first", "attempts"),
    [
        ("POST", {}, httpx2.ReadError("cut"), 1),
        ("POST", {}, answer({}, 503), 1),
        ("POST", {}, httpx2.ConnectError("away"), 2),
        ("POST", {}, answer({}, 429), 2),
        ("POST", KEY, httpx2.ReadError("cut"), 2),
        ("DELETE", {}, httpx2.ReadError("cut"), 2),
    ],
)
def test_what_may_have_been_done_is_sent_again_only_if_that_does_no_harm(
    method: str, named: dict[str, Any], first: Reply, attempts: int, is_async: bool
) -> None:
    service = PlayedService([first, answer({})])
    try:
        sent(service, is_async, method, "/video/submit", **named)
    except errors.ServiceUnreachableError:
        assert attempts == 1
    assert len(service.asked) == attempts


@BOTH
def test_any_request_may_take_as_long_as_the_client_says(is_async: bool) -> None:
    service = PlayedService([answer({})])
    sent(service, is_async, "GET", "/health")
    assert set(service.asked[0].extensions["timeout"].values()) == {1.5}


@BOTH
@pytest.mark.parametrize("path", ["health", "@evil.example/x", ".evil.example/x", "", ":1/x"])
def test_no_path_leads_to_another_server(path: str, is_async: bool) -> None:
    service = PlayedService([answer({})])
    with pytest.raises(errors.ArgumentError, match='A path begins with "/", such as /health'):
        sent(service, is_async, "GET", path)
    assert service.asked == []


@BOTH
@pytest.mark.parametrize("job_id", [".", ".."])
def test_what_leads_out_of_the_jobs_is_no_job_id(job_id: str, is_async: bool) -> None:
    service = PlayedService([answer({})])
    with pytest.raises(errors.ArgumentError, match="is no job_id"):
        service.did("get", job_id, is_async=is_async)
    assert service.asked == []
