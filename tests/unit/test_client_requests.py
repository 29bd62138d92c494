"""What the clients do with an answer, or with none: the same in both."""

from __future__ import annotations

import math
import pickle
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from video_jobs_client import Client, errors
from video_jobs_client.login.errors import NotLoggedInError
from video_jobs_client.protocol.answers import CLASSES_BY_CODE
from video_jobs_client.protocol.effects import Answer
from video_jobs_client.protocol.retries import Retries, retry_after_s
from video_jobs_client.settings import NoServerError

from tests.support.played_service import JOB_ID, URL, PlayedService, Reply, answer, job, problem

BOTH = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
ERRORS = Path(__file__).parents[2] / "docs" / "errors.md"
PAGE: dict[str, Any] = {
    "results": [],
    "next_cursor": None,
    "results_url": "https://bucket.example.com/r?X-Amz-Signature=s",
}
NOW = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)


def no_connection() -> Exception:
    return httpx2.ConnectError(f"refused {URL}/video?X-Amz-Signature=secret")


AGAIN: list[Reply] = [
    no_connection(),
    httpx2.ReadTimeout("slow"),
    httpx2.RemoteProtocolError("cut"),
    answer({}, 500),
    answer({"message": "Service Unavailable"}, 503),
    answer({"message": "Too Many Requests"}, 429),
    answer({"message": "Too Early"}, 425),
    *(httpx2.Response(status, html="<html>away</html>") for status in (507, 520, 524, 529, 599)),
    problem("temporarily_unavailable", 503, **{"retry-after": "0"}),
    problem("quota_exceeded", 429, **{"retry-after": format_datetime(NOW - timedelta(days=1))}),
]


@BOTH
@pytest.mark.parametrize("first", AGAIN)
def test_what_may_go_well_the_next_time_is_asked_again(first: Reply, is_async: bool) -> None:
    service = PlayedService([first, answer(job("running"))])
    assert service.did("get", JOB_ID, is_async=is_async).status == "running"
    assert len(service.retries) == 1


@BOTH
def test_a_service_that_is_away_is_given_up_without_showing_the_url(is_async: bool) -> None:
    service = PlayedService([no_connection() for _ in range(6)])
    with pytest.raises(errors.ServiceUnreachableError, match="no connection") as failed:
        service.did("get", JOB_ID, is_async=is_async)
    assert "secret" not in str(failed.value)


FINAL: list[tuple[Reply, type[Exception], str]] = [
    (problem("job_not_found", 404), errors.JobNotFoundError, "No: job_not_found"),
    (problem("a_new_code", 418), errors.ApiError, "No: a_new_code"),
    (answer({"message": "Unauthorized"}, 401), errors.UnauthenticatedError, "Unauthorized"),
    (answer({"message": "Forbidden"}, 403), errors.ForbiddenError, "Forbidden"),
    (answer({"message": "Request Too Long"}, 413), errors.VideoTooLargeError, "Too Long"),
    (problem("quota_exceeded", 429, **{"retry-after": "3600"}), errors.QuotaExceededError, "quota"),
    (httpx2.Response(200, html="<html>hello</html>"), errors.UnexpectedAnswerError, "text/html"),
    (
        httpx2.Response(429, html="<html>slow down</html>", headers={"retry-after": "3600"}),
        errors.TooManyRequestsError,
        "too many requests",
    ),
    (httpx2.Response(501, html="<html>never</html>"), errors.ServerError, "status 501"),
    (httpx2.Response(505, html="<html>never</html>"), errors.ServerError, "status 505"),
    (httpx2.Response(401, html="<html>log in</html>"), errors.UnauthenticatedError, "status 401.*token"),
    (httpx2.Response(401), errors.UnauthenticatedError, "status 401.*token"),
    (httpx2.Response(403, html="<html>no</html>"), errors.ForbiddenError, "status 403"),
    (httpx2.Response(413, html="<html>too large</html>"), errors.VideoTooLargeError, "status 413"),
    (httpx2.Response(404, html="<html>gone</html>"), errors.UnexpectedAnswerError, "text/html"),
    (httpx2.Response(200, content=b'{"job_id": "3f'), errors.UnexpectedAnswerError, "none of the service"),
    (
        httpx2.Response(200, content=b'{"job_id": "\xff"}'),
        errors.UnexpectedAnswerError,
        "none of the service",
    ),
    (answer({"job_id": JOB_ID}), errors.UnexpectedAnswerError, "missing"),
    (
        httpx2.Response(302, headers={"location": "https://else.example.com/login?token=secret"}),
        errors.UnexpectedAnswerError,
        "redirects to https://else.example.com/login: ",
    ),
]


@BOTH
@pytest.mark.parametrize(("reply", "kind", "words"), FINAL)
def test_what_is_final_is_a_typed_error(
    reply: Reply, kind: type[Exception], words: str, is_async: bool
) -> None:
    service = PlayedService([reply])
    with pytest.raises(kind, match=words) as failed:
        service.did("get", JOB_ID, is_async=is_async)
    assert type(failed.value) is kind
    assert "secret" not in str(failed.value)


def test_an_error_tells_what_the_service_told() -> None:
    service = PlayedService([problem("quota_exceeded", 429, **{"retry-after": "3600"})])
    with pytest.raises(errors.QuotaExceededError) as failed:
        service.did("get", JOB_ID)
    told = failed.value
    assert (told.status, told.code, told.request_id, told.retry_after_s) == (
        429,
        "quota_exceeded",
        "r-1",
        3600,
    )


def test_fields_that_a_newer_service_adds_are_ignored() -> None:
    service = PlayedService([answer(job("running", colour="red"))])
    assert service.did("get", JOB_ID).status == "running"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        (format_datetime(NOW + timedelta(seconds=30), usegmt=True), 30.0),
        (format_datetime(NOW - timedelta(hours=1), usegmt=True), 0.0),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(text: str, seconds: float | None) -> None:
    assert retry_after_s(Answer(429, {"retry-after": text}, b""), NOW) == seconds


def test_pauses_grow_at_random_up_to_their_longest() -> None:
    retries = Retries(limit=9, first_s=1.0, longest_s=8.0, random=lambda: 1.0)
    failed = Answer(500, {}, b"")
    assert [retries.pause_s(failed, attempt) for attempt in range(1, 7)] == [1, 2, 4, 8, 8, 8]
    assert retries.pause_s(failed, 10) is None
    half = Retries(first_s=1.0, random=lambda: 0.5)
    assert half.pause_s(failed, 1) == 0.5


@BOTH
@pytest.mark.parametrize(
    ("verb", "done"),
    [("cancel", job("failed", error={"code": "cancelled", "message": None})), ("retry", job("pending"))],
)
def test_a_change_whose_answer_was_lost_is_not_an_error(
    verb: str, done: dict[str, Any], is_async: bool
) -> None:
    service = PlayedService([httpx2.ReadError("cut"), problem("job_state", 409), answer(done)])
    assert service.did(verb, JOB_ID, is_async=is_async).status == done["status"]


def test_an_upload_whose_end_was_not_answered_is_given_up_all_the_same() -> None:
    cancelled = answer(job("failed", error={"code": "cancelled", "message": None}))
    service = PlayedService([answer(job()), httpx2.ReadError("cut"), problem("job_state", 409), cancelled])
    with service.client() as client:
        assert client.jobs.get(JOB_ID).abort_upload().status == "failed"


@pytest.mark.parametrize("verb", ["cancel", "retry"])
def test_a_change_that_the_state_forbids_is_an_error(verb: str) -> None:
    service = PlayedService([problem("job_state", 409)])
    with pytest.raises(errors.JobStateError):
        service.did(verb, JOB_ID)


def test_a_deletion_whose_answer_was_lost_is_not_an_error() -> None:
    service = PlayedService([httpx2.ReadError("cut"), problem("job_not_found", 404)])
    service.did("delete", JOB_ID)
    with pytest.raises(errors.JobNotFoundError):
        PlayedService([problem("job_not_found", 404)]).did("delete", JOB_ID)


@BOTH
def test_the_token_is_asked_for_before_each_request(is_async: bool) -> None:
    tokens = iter(["one", "two"])
    service = PlayedService([answer({}, 500), answer(job())])
    service.did("get", JOB_ID, is_async=is_async, token_provider=lambda: next(tokens))
    assert [one.headers["authorization"] for one in service.asked] == ["Bearer one", "Bearer two"]


def test_no_token_is_sent_with_a_signed_url_and_its_redirect_is_followed(tmp_path: Path) -> None:
    moved = httpx2.Response(307, headers={"location": "https://eu.example.com/r?X-Amz-Signature=s"})
    service = PlayedService(
        [answer(job("completed")), answer(PAGE), moved, httpx2.Response(200, content=b"{}")]
    )
    with service.client(token="t") as client:
        path = client.jobs.get(JOB_ID).download(tmp_path / "results.json")
    assert path.read_bytes() == b"{}"
    assert [one.headers.get("authorization") for one in service.asked] == ["Bearer t", "Bearer t", None, None]


def test_a_download_that_is_refused_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    refused = httpx2.Response(403, content=b"<Error/>")
    service = PlayedService([answer(job("completed")), answer(PAGE), refused])
    (tmp_path / "results.json").write_text("old")
    with service.client() as client, pytest.raises(errors.DownloadError, match="403") as failed:
        client.jobs.get(JOB_ID).download(tmp_path / "results.json")
    assert "Signature" not in str(failed.value)
    assert [one.read_text() for one in tmp_path.iterdir()] == ["old"]


SUMMARY = {"job_id": JOB_ID, "summary_url": "https://bucket.example.com/s", "tracks_url": None}


@pytest.mark.parametrize(
    ("summary", "content", "kind", "words"),
    [
        (None, b'{"version": 1', errors.DownloadError, "no summary.*try again"),
        (None, b"[]", errors.DownloadError, "no summary"),
        (None, b'{"version": 1}', errors.ResultsError, "no summary"),
        ("text", b"", errors.ResultsError, "no summary"),
        ({"version": "1.5"}, b"", errors.ResultsError, "version 1.5: install a newer"),
    ],
)
def test_what_is_no_summary_is_a_typed_error(
    summary: Any, content: bytes, kind: type[Exception], words: str
) -> None:
    stored = httpx2.Response(200, content=content)
    service = PlayedService([answer(job("completed")), answer({**SUMMARY, "summary": summary}), stored])
    with service.client() as client, pytest.raises(kind, match=words) as failed:
        client.jobs.get(JOB_ID).summary()
    assert type(failed.value) is kind


def test_a_job_without_tracks_has_no_file_of_them(tmp_path: Path) -> None:
    service = PlayedService([answer(job("completed")), answer({**SUMMARY, "summary": None})])
    with service.client() as client, pytest.raises(errors.DownloadError, match="has no file of its tracks"):
        client.jobs.get(JOB_ID).download(tmp_path / "tracks.json", "tracks")


def test_a_job_id_is_one_segment_of_the_path_whatever_it_holds() -> None:
    service = PlayedService([problem("job_not_found", 404)])
    with pytest.raises(errors.JobNotFoundError):
        service.did("get", "../../health?x=1#y")
    assert service.asked[0].url.raw_path == b"/video/jobs/..%2F..%2Fhealth%3Fx%3D1%23y"


def test_every_code_that_the_api_answers_has_a_class_and_the_reverse() -> None:
    page = ERRORS.read_text(encoding="utf-8").partition("## Why a job failed")[0]
    told = {line.split("`")[1] for line in page.splitlines() if line.startswith("| ") and "`" in line}
    assert told == CLASSES_BY_CODE.keys()


def test_a_client_needs_an_address(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VIDEO_JOBS_CONFIG_DIR", str(tmp_path))
    monkeypatch.delenv("VIDEO_JOBS_URL", raising=False)
    with pytest.raises(errors.VideoJobsClientError, match="VIDEO_JOBS_URL"):
        Client()


@pytest.mark.parametrize(
    "text",
    [
        "Mon, 01 Jan 2026 00:00:00 +99999999999999",
        "Mon, 01 Jan 0001 00:00:00 +2300",
        "9" * 400,
        "-1",
        "\u00b2",
    ],
)
def test_a_retry_after_may_be_absurd(text: str) -> None:
    assert retry_after_s(Answer(429, {"retry-after": text}, b""), NOW) in (None, 0, math.inf)


def test_retries_may_be_as_many_as_somebody_likes() -> None:
    usual = Retries(limit=5000, random=lambda: 1.0)
    assert usual.pause_s(Answer(503, {}, b""), 5000) == usual.longest_s


@pytest.mark.parametrize(
    "error",
    [
        errors.QuotaExceededError("No", status=429, code="quota_exceeded", request_id="r", retry_after_s=3.0),
        errors.JobFailedError(JOB_ID, "invalid_mp4", "a WebM file"),
        errors.VideoJobsClientError("Something"),
        NoServerError(),
        NotLoggedInError(URL, "no login is stored", None),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_of_another_process_arrives_as_it_is(error: Exception) -> None:
    arrived = pickle.loads(pickle.dumps(error))
    assert (type(arrived), str(arrived), vars(arrived)) == (type(error), str(error), vars(error))
