"""What the clients do when the service or its storage misbehaves, as docs/sdk.md tells it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from video_jobs_client import errors
from video_jobs_client.uploads import UploadSettings

import tests.proofs.client.storage_behaviours  # noqa: F401 - are added to WHEN
from tests.proofs.client.client_behaviours import (
    GOOD,
    JOB,
    JOBS,
    PART_BYTES,
    RESULTS,
    STATUS,
    SUBMIT,
    SUMMARY,
    UPLOAD,
    VIDEO,
    WHEN,
    when,
)
from tests.support.client_user import ClientUser, client_user
from tests.support.misbehaving_server import MisbehavingServer, Move, reply
from tests.support.pages import Page, table_rows
from tests.support.played_service import JOB_ID, job, status_of
from tests.support.pretend_service import EMPTY_SUMMARY

PAGE = Page(Path(__file__).parents[3] / "docs" / "sdk.md")


# --- answers that are wrong ------------------------------------------------------------------------


@when("an answer is shorter than its Content-Length")
def answer_is_too_short(server: MisbehavingServer, user: ClientUser) -> None:
    server.moves[JOB] = [reply(job(), length=5000), GOOD]
    assert user.job(JOB_ID).status == "running"
    assert [one.reason for one in user.retried] == [
        "the connection was closed before the answer was complete"
    ]


@when("an answer is longer than its Content-Length")
def answer_is_too_long(server: MisbehavingServer, user: ClientUser) -> None:
    server.moves[JOB] = [reply(job(), length=50), GOOD]
    with pytest.raises(errors.UnexpectedAnswerError, match="is none of the service"):
        user.job(JOB_ID)
    assert user.job(JOB_ID).status == "running"  # what was left over is not taken for its answer


@when("a page for people comes in place of JSON")
def html_instead_of_json(server: MisbehavingServer, user: ClientUser) -> None:
    page = b"<html>Hello</html>"
    for status in (200, 404):
        server.moves[JOB] = [reply(page, status, content_type="text/html")]
        with pytest.raises(errors.UnexpectedAnswerError, match=rf"{status} \(text/html\).*is its URL right"):
            user.job(JOB_ID)


@when("JSON comes that is none of the service")
def other_json(server: MisbehavingServer, user: ClientUser) -> None:
    server.moves = {JOB: [GOOD], RESULTS: [reply({})], SUMMARY: [reply({"summary_url": 1})]}
    found = user.job(JOB_ID)
    with pytest.raises(errors.UnexpectedAnswerError, match="has no results"):
        user.every(found.frames)
    with pytest.raises(errors.UnexpectedAnswerError, match="has no summary"):
        user.do(found.summary)


@when("JSON comes that is nested too deeply")
def deep_json(server: MisbehavingServer, user: ClientUser) -> None:
    for status in (200, 400):
        server.moves[JOB] = [reply(b'{"detail": ' + b'{"a": ' * 100_000, status)]
        with pytest.raises(errors.UnexpectedAnswerError, match="is none of the service"):
            user.job(JOB_ID)


@when("a page of results has frames that are none of the service")
def other_frames(server: MisbehavingServer, user: ClientUser) -> None:
    for frame, lack in (({"frame_index": 0}, "result"), ({"result": {}}, "frame_index")):
        server.moves = {JOB: [GOOD], RESULTS: [reply({"results": [frame], "next_cursor": None})]}
        with pytest.raises(errors.ResultsError, match=f"A frame has no {lack}: pass answers of GET"):
            user.every(user.job(JOB_ID).frames)


@when("a list names a next page that has come before")
def endless_lists(server: MisbehavingServer, user: ClientUser) -> None:
    page = {"results": [], "next_cursor": "again"}
    server.moves = {
        JOBS: [reply({"jobs": [job()], "next_cursor": "again"})],
        JOB: [GOOD],
        RESULTS: [reply(page)],
    }
    with pytest.raises(errors.UnexpectedAnswerError, match="next_cursor"):
        user.every(user.client.jobs.list)
    assert server.calls == [JOBS] * 2
    with pytest.raises(errors.UnexpectedAnswerError, match="next_cursor"):
        user.every(user.job(JOB_ID).pages)


@when("the service signs other parts of an upload than were asked for")
def other_parts(server: MisbehavingServer, user: ClientUser) -> None:
    offer = {"job_id": JOB_ID, "multipart": {"part_bytes": PART_BYTES, "part_count": 2}}
    none = {"parts": [], "expires_at": "2026-11-25T10:00:00Z"}
    server.moves = {SUBMIT: [reply(offer, 201)], f"POST {UPLOAD}/parts": [reply(none)]}
    with pytest.raises(errors.UnexpectedAnswerError, match="signed other parts"):
        user.do(user.client.analyse, VIDEO, upload=UploadSettings(method="multipart"))
    assert server.calls == [SUBMIT, f"POST {UPLOAD}/parts"]


@when("the service redirects")
def service_redirects(server: MisbehavingServer, user: ClientUser) -> None:
    server.moves[JOB] = [reply(status=302, location=f"{server.url}/login?state=secret")]
    with pytest.raises(errors.UnexpectedAnswerError, match="use the address of the API itself") as refused:
        user.job(JOB_ID)
    assert "secret" not in str(refused.value)
    assert server.calls == [JOB]


@when("a job has a status that this package does not know")
def unknown_status(server: MisbehavingServer, user: ClientUser) -> None:
    server.moves = {JOB: [reply(job("paused"))], STATUS: [reply(status_of("paused"), retry_after="0")]}
    with pytest.raises(errors.UnknownStatusError, match='"paused": install a newer video-jobs-client'):
        user.do(user.job(JOB_ID).wait)


@when("an answer has fields that this package does not know")
def unknown_fields(server: MisbehavingServer, user: ClientUser) -> None:
    frame = {"frame_index": 0, "result": {"text": "EXIT", "mood": "calm"}, "colour": "red"}
    page = {"results": [frame], "timestamps_ms": [0], "next_cursor": None, "weather": "fine"}
    server.moves = {JOB: [reply(job("completed", colour="red"))], RESULTS: [reply(page)]}
    (found,) = user.every(user.job(JOB_ID).frames)
    assert found.lines == ["EXIT"]


def summary_answer(server: MisbehavingServer, summary: Any) -> Move:
    times = {"created_at": "2026-11-25T10:00:00Z", "updated_at": "2026-11-25T10:00:00Z"}
    links = dict.fromkeys(("summary_url", "tracks_url"), f"{server.url}/stored")
    return reply({"job_id": JOB_ID, "summary": summary, **times, **links})


@when("a summary has a version that this package does not know")
def newer_summary(server: MisbehavingServer, user: ClientUser) -> None:
    newer = {"version": 2, "videos": []}
    stored = [reply(newer), reply(newer), reply({**EMPTY_SUMMARY, "frames": 0})]
    answers = [summary_answer(server, one) for one in (newer, None, newer, None)]
    server.moves = {JOB: [reply(job("completed"))], SUMMARY: answers, "GET /stored": stored}
    found = user.job(JOB_ID)
    for _ in ("in the answer", "in its file"):
        with pytest.raises(errors.ResultsError, match="version 2: install a newer video-jobs-client"):
            user.do(found.summary)
    assert json.loads(user.do(found.download, "summary.json", "summary").read_bytes()) == newer
    assert user.do(found.summary).told.version == 1


# --- the page --------------------------------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[MisbehavingServer]:
    with MisbehavingServer() as running:
        yield running


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("words", WHEN)
def test_when(
    words: str, is_async: bool, server: MisbehavingServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VIDEO_JOBS_CACHE_DIR", "cache")
    behaviour, timeout_s = WHEN[words]
    with client_user(server.url, is_async=is_async, token="secret", timeout_s=timeout_s) as user:
        behaviour(server, user)


def test_the_page_has_a_row_for_each_behaviour_and_the_reverse() -> None:
    assert [row[0] for row in table_rows(PAGE.section("What happens when"))] == list(WHEN)
