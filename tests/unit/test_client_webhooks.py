"""`webhooks.verify` takes what the service signs, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from video_jobs.domain.webhooks import signed_headers
from video_jobs_client import webhooks
from video_jobs_client.errors import UnexpectedAnswerError, WebhookError

from tests.support.pages import Page
from tests.support.played_service import JOB_ID
from tests.support.webhook_calls import OTHER, SECRET, called


@pytest.mark.parametrize("kind", [bytes.decode, bytes, bytearray, memoryview])
def test_a_call_of_the_service_becomes_an_event(kind: Callable[[bytes], str | bytes]) -> None:
    body, headers = called()
    event = webhooks.verify(kind(body.encode()), headers, SECRET)
    assert (event.type, event.data.job_id, event.data.status) == ("job.completed", JOB_ID, "completed")
    assert event.data.ended_at == datetime(2026, 3, 1, tzinfo=UTC)
    assert event.data.event_id == headers["webhook-id"]


def test_a_failed_job_tells_its_reason() -> None:
    event = webhooks.verify(*called("failed"), SECRET)
    assert event.type == "job.failed"
    assert event.data.error is not None
    assert event.data.error.code == "unreadable_video"


@pytest.mark.parametrize("secret", [SECRET, OTHER])
def test_either_secret_is_good_while_it_is_being_replaced(secret: str) -> None:
    assert webhooks.verify(*called(secrets=f"{SECRET} {OTHER}"), secret).data.job_id == JOB_ID


def test_headers_are_found_in_any_case() -> None:
    body, headers = called()
    assert webhooks.verify(body, {name.title(): value for name, value in headers.items()}, SECRET)


def test_another_secret_is_refused() -> None:
    with pytest.raises(WebhookError, match="not genuine"):
        webhooks.verify(*called(secrets=OTHER), SECRET)


@pytest.mark.parametrize("age_s", [301, -301])
def test_an_old_call_or_one_from_the_future_is_refused(age_s: float) -> None:
    with pytest.raises(WebhookError, match="too"):
        webhooks.verify(*called(age_s=age_s), SECRET)


def test_a_changed_body_is_refused() -> None:
    body, headers = called()
    with pytest.raises(WebhookError):
        webhooks.verify(body.replace("completed", "failed"), headers, SECRET)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("webhook-id", None),
        ("webhook-timestamp", None),
        ("webhook-signature", None),
        ("webhook-id", "another"),
        ("webhook-timestamp", "now"),
        ("webhook-timestamp", "1e999"),
        ("webhook-signature", "v1"),
        ("webhook-signature", "v1,"),
        ("webhook-signature", "v1,x"),
        ("webhook-signature", "v1,é"),
        ("webhook-signature", "v1,a,b"),
        ("webhook-signature", "v1a,AAAA"),
    ],
)
def test_headers_of_another_are_refused(name: str, value: str | None) -> None:
    body, headers = called()
    changed = {**headers, name: value}
    with pytest.raises(WebhookError):
        webhooks.verify(body, {key: told for key, told in changed.items() if told is not None}, SECRET)


@pytest.mark.parametrize(
    "body", [b"\xff\xfe", b"", "no JSON", bytearray(b"{}"), memoryview(b"\xff"), "\ud800"]
)
def test_a_body_that_was_not_signed_is_refused(body: bytes | str) -> None:
    with pytest.raises(WebhookError):
        webhooks.verify(body, called()[1], SECRET)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_é", "whsec_!"])
def test_a_secret_that_is_none_is_named_and_not_shown(secret: str) -> None:
    with pytest.raises(WebhookError, match="whsec_ and base64"):
        webhooks.verify(*called(), secret)


def test_a_signed_body_that_is_no_event_asks_for_a_newer_client() -> None:
    headers = signed_headers("x", datetime.now(UTC), '{"type": "job.split"}', SECRET)
    with pytest.raises(UnexpectedAnswerError, match="newer video-jobs-client"):
        webhooks.verify('{"type": "job.split"}', headers, SECRET)


def test_the_documented_example_verifies_a_call(capsys: pytest.CaptureFixture[str]) -> None:
    page = Page(Path(__file__).parents[2] / "docs/webhooks.md")
    (shown,) = (one.content for one in page.blocks() if one.language == "python")
    body, headers = called()
    exec(shown.replace("whsec_...", SECRET), {"body": body, "headers": headers})
    assert capsys.readouterr().out == f"{JOB_ID} completed None\n"
