"""What the clients do when the service or its storage misbehaves, as docs/sdk.md tells it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from video_jobs_client import errors
from video_jobs_client.uploads import UploadSettings

from tests.support.client_user import NOW, ClientUser, client_user
from tests.support.misbehaving_server import (
    Asked,
    MisbehavingServer,
    Move,
    answered,
    cut,
    hang_up,
    reply,
    slow,
)
from tests.support.pages import Page, table_rows
from tests.support.played_service import JOB_ID, job, status_of
from tests.support.pretend_service import EMPTY_SUMMARY

PAGE = Page(Path(__file__).parents[2] / "docs" / "sdk.md")
JOB, STATUS = f"GET /video/jobs/{JOB_ID}", f"GET /video/status/{JOB_ID}"
RESULTS, SUMMARY = f"GET /video/results/{JOB_ID}", f"GET /video/summary/{JOB_ID}"
SUBMIT, UPLOAD = "POST /video/submit", f"/video/jobs/{JOB_ID}/upload"
GOOD = reply(job("running"))
SHORT_S = 0.5
VIDEO, PART_BYTES = b"0123456789abcde", 10
Behaviour = Callable[[MisbehavingServer, ClientUser], None]
WHEN: dict[str, tuple[Behaviour, float]] = {}
"""What is done when something goes wrong, and the client's timeout; the page has a row for each."""


def when(words: str, timeout_s: float = 10.0) -> Callable[[Behaviour], Behaviour]:
    def named(behaviour: Behaviour) -> Behaviour:
        WHEN[words] = behaviour, timeout_s
        return behaviour

    return named


# --- connections -----------------------------------------------------------------------------------


@when("nobody listens at the address")
def nobody_listens(server: MisbehavingServer, user: ClientUser) -> None:
    server.__exit__()
    with pytest.raises(errors.ServiceUnreachableError, match="no connection"):
        user.job(JOB_ID)
    assert len(user.retried) == 5


@when("the connection breaks before an answer comes")
def breaks_before(server: MisbehavingServer, user: ClientUser) -> None:
    server.moves[JOB] = [hang_up(), hang_up(), GOOD]
    assert user.job(JOB_ID).status == "running"
    assert server.calls == [JOB] * 3


@when("the connection breaks in the middle of an answer")
def breaks_in_the_middle(server: MisbehavingServer, user: ClientUser) -> None:
    server.moves[JOB] = [cut(job(), 30), cut(job(), 200), GOOD]
    assert user.job(JOB_ID).status == "running"
    assert server.calls == [JOB] * 3


@when("the connection breaks while the video is sent")
def breaks_while_sent(server: MisbehavingServer, user: ClientUser) -> None:
    video = bytes(20 * 2**20)
    server.moves = {SUBMIT: [hang_up(is_unread=True), reply({"job_id": JOB_ID}, 201)], JOB: [GOOD]}
    user.do(user.client.analyse, video, upload=UploadSettings(method="body"))
    assert [one.content == video for one in server.asked] == [False, True, False]


@when("a submit was carried out, and its answer is lost")
def answer_to_submit_is_lost(server: MisbehavingServer, user: ClientUser) -> None:
    lost = [hang_up(), cut({"job_id": JOB_ID}, 90), reply({}, 502)]
    server.moves = {SUBMIT: [*lost, reply({"job_id": JOB_ID}, 201)], JOB: [GOOD]}
    assert user.do(user.client.analyse, VIDEO).id == JOB_ID
    sent = [(one.headers["idempotency-key"], one.content) for one in server.asked if one.call == SUBMIT]
    assert (len(sent), len(set(sent)), sent[0][1]) == (4, 1, VIDEO)  # so the service makes one job


# --- time ------------------------------------------------------------------------------------------


@when("no answer comes within `timeout_s`", SHORT_S)
def no_answer_in_time(server: MisbehavingServer, user: ClientUser) -> None:
    server.moves[JOB] = [slow(job(), 2 * SHORT_S), GOOD]
    assert user.job(JOB_ID).status == "running"
    assert {one.reason for one in user.retried} == {"no answer in time"}


@when("an answer stops for longer than `timeout_s`", SHORT_S)
def answer_stops(server: MisbehavingServer, user: ClientUser) -> None:
    server.moves[JOB] = [slow(job(), 2 * SHORT_S, start=200), GOOD]
    assert user.job(JOB_ID).status == "running"
    assert {one.reason for one in user.retried} == {"no answer in time"}


@when("an answer comes slowly, with shorter pauses", 2 * SHORT_S)
def answer_is_slow(server: MisbehavingServer, user: ClientUser) -> None:
    server.moves[JOB] = [slow(job("running"), 0.1, step=60)]
    assert user.job(JOB_ID).status == "running"
    assert user.retried == []


@when("an answer is not complete when the timeout of `wait` ends")
def wait_meets_a_slow_answer(server: MisbehavingServer, user: ClientUser) -> None:
    slow_head = slow(status_of("completed"), 0.1, stop=60, step=2)  # takes 3 s
    server.moves = {JOB: [GOOD], STATUS: [slow_head]}
    waited = user.job(JOB_ID)
    with pytest.raises(errors.WaitTimeoutError):
        user.do(waited.wait, 0.5)
    assert server.done == [JOB]


# --- refusals that pass ----------------------------------------------------------------------------


@when("the service fails (500, 502, 503, 504)")
def the_service_fails(server: MisbehavingServer, user: ClientUser) -> None:
    page = reply(b"<html>Bad Gateway</html>", 502, content_type="text/html")
    server.moves[JOB] = [reply({}, 500), page, reply({"message": "No"}, 503), reply({}, 504), GOOD]
    assert user.job(JOB_ID).status == "running"
    assert user.pauses == [0.001, 0.002, 0.004, 0.008]


@when("the service fails each time")
def the_service_always_fails(server: MisbehavingServer, user: ClientUser) -> None:
    server.moves[JOB] = [reply({}, 500)]
    with pytest.raises(errors.ServerError, match="status 500"):
        user.job(JOB_ID)
    assert server.calls == [JOB] * 6


@when("429 comes with a `Retry-After` in seconds")
def retry_after_in_seconds(server: MisbehavingServer, user: ClientUser) -> None:
    server.moves[JOB] = [reply({"message": "Too Many"}, 429, retry_after="1"), GOOD]
    assert user.job(JOB_ID).status == "running"
    assert user.pauses == [pytest.approx(1.001)]


@when("429 comes with a `Retry-After` as a date")
def retry_after_as_a_date(server: MisbehavingServer, user: ClientUser) -> None:
    soon = format_datetime(NOW.replace(minute=0, hour=10, second=0, microsecond=0), usegmt=True)
    server.moves[JOB] = [reply({"message": "Too Many"}, 429, retry_after=soon), GOOD]
    assert user.job(JOB_ID).status == "running"
    assert user.pauses == [pytest.approx(0.051)]


@when("`Retry-After` asks for more than a minute")
def retry_after_is_long(server: MisbehavingServer, user: ClientUser) -> None:
    server.moves[JOB] = [reply({"message": "Too Many"}, 429, retry_after="3600")]
    with pytest.raises(errors.TooManyRequestsError) as refused:
        user.job(JOB_ID)
    assert (refused.value.retry_after_s, server.calls) == (3600, [JOB])


# --- the storage -----------------------------------------------------------------------------------

EXPIRED = reply(b"<Error><Code>AccessDenied</Code></Error>", 403, content_type="application/xml")


def signed_parts(server: MisbehavingServer) -> Move:
    def signed(asked: Asked) -> dict[str, Any]:
        numbers = json.loads(asked.content)["part_numbers"]
        parts = [{"part_number": n, "size_bytes": 0, "url": f"{server.url}/part-{n}?s=1"} for n in numbers]
        return {"parts": parts, "expires_at": "2026-11-25T10:00:00Z"}

    return answered(signed)


@when("the URL of a part has expired")
def part_url_expired(server: MisbehavingServer, user: ClientUser) -> None:
    offer = {"job_id": JOB_ID, "multipart": {"part_bytes": PART_BYTES, "part_count": 2}}
    server.moves = {
        SUBMIT: [reply(offer, 201)],
        f"POST {UPLOAD}/parts": [signed_parts(server)],
        "PUT /part-1": [EXPIRED, reply()],
        "PUT /part-2": [reply()],
        f"POST {UPLOAD}/complete": [GOOD],
        JOB: [GOOD],
    }
    user.do(user.client.analyse, VIDEO, upload=UploadSettings(method="multipart", parallel=1))
    sent = [one.content for one in server.asked if one.call.startswith("PUT")]
    assert sent == [VIDEO[:PART_BYTES], VIDEO[:PART_BYTES], VIDEO[PART_BYTES:]]
    assert server.calls.count(f"POST {UPLOAD}/parts") == 2


@when("the form of an upload has expired")
def form_expired(server: MisbehavingServer, user: ClientUser) -> None:
    form = {"url": f"{server.url}/form", "fields": {"policy": "p"}, "max_bytes": 100}
    offer = {"job_id": JOB_ID, "upload": {**form, "expires_at": "2026-11-25T10:00:00Z"}}
    server.moves = {SUBMIT: [reply(offer, 201)], "POST /form": [EXPIRED, reply(status=204)], JOB: [GOOD]}
    user.do(user.client.analyse, VIDEO, upload=UploadSettings(method="form"))
    keys = {one.headers["idempotency-key"] for one in server.asked if one.call == SUBMIT}
    assert (server.calls.count(SUBMIT), len(keys)) == (2, 1)


def results_at(server: MisbehavingServer, *moves: Move) -> None:
    page: dict[str, Any] = {
        "results": [],
        "next_cursor": None,
        "results_url": f"{server.url}/stored?X-Amz-Signature=s",
    }
    server.moves = {JOB: [reply(job("completed"))], RESULTS: [reply(page)], "GET /stored": [*moves]}


@when("the storage refuses a download")
def download_refused(server: MisbehavingServer, user: ClientUser) -> None:
    results_at(server, EXPIRED)
    Path("results.json").write_text("old")
    with pytest.raises(errors.DownloadError, match=r"status 403( \(\w+\))?; try again"):
        user.do(user.job(JOB_ID).download, "results.json")
    assert [path.read_text() for path in Path().glob("results*")] == ["old"]


@when("a download breaks in the middle")
def download_breaks(server: MisbehavingServer, user: ClientUser) -> None:
    results_at(server, cut(b"x" * 1000, 500), reply(b"x" * 1000))
    assert user.do(user.job(JOB_ID).download, "results.json").read_bytes() == b"x" * 1000


@when("the storage redirects")
def storage_redirects(server: MisbehavingServer, user: ClientUser) -> None:
    results_at(server, reply(status=307, location=f"{server.url}/elsewhere"))
    server.moves["GET /elsewhere"] = [reply(b"there")]
    assert user.do(user.job(JOB_ID).download, "results.json").read_bytes() == b"there"
    sent = {one.call: one.headers.get("authorization") for one in server.asked}
    assert (sent[JOB], sent["GET /stored"], sent["GET /elsewhere"]) == ("Bearer secret", None, None)


@when("the storage redirects an upload")
def storage_redirects_an_upload(server: MisbehavingServer, user: ClientUser) -> None:
    form = {"url": f"{server.url}/form", "fields": {"policy": "p"}, "max_bytes": 100}
    offer = {"job_id": JOB_ID, "upload": {**form, "expires_at": "2026-11-25T10:00:00Z"}}
    server.moves = {
        SUBMIT: [reply(offer, 201)],
        "POST /form": [reply(status=307, location=f"{server.url}/elsewhere")],
        "POST /elsewhere": [reply(status=204)],
        JOB: [GOOD],
    }
    user.do(user.client.analyse, VIDEO, upload=UploadSettings(method="form"))
    first, second = (one for one in server.asked if one.call in ("POST /form", "POST /elsewhere"))
    assert VIDEO in second.content
    assert (first.content, "authorization" in second.headers) == (second.content, False)


@when("a part of an upload fails for good")
def part_fails(server: MisbehavingServer, user: ClientUser) -> None:
    offer = {"job_id": JOB_ID, "multipart": {"part_bytes": PART_BYTES, "part_count": 2}}
    server.moves = {
        SUBMIT: [reply(offer, 201)],
        f"POST {UPLOAD}/parts": [signed_parts(server)],
        "PUT /part-1": [slow(None, 1.5)],
        "PUT /part-2": [reply(b"<Error><Code>NoSuchUpload</Code></Error>", 404)],
    }
    with pytest.raises(errors.UploadError, match=r"part 2 with status 404 \(NoSuchUpload\)"):
        user.do(user.client.analyse, VIDEO, upload=UploadSettings(method="multipart"))
    assert "PUT /part-1" not in server.done


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
