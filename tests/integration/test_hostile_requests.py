"""Requests that no client of good will makes: refused plainly, cheaply, and without a trace of secrets."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from video_jobs.application import VideoJobs

from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.integration.conftest import answer_of, asked, call, load_event, logged, refusal
from tests.integration.job_states import completed_job, queued_job

SECRET = "eyJhbGciOiJSUzI1NiJ9.c2VjcmV0.c2lnbmF0dXJl"


def encoded(body: bytes) -> dict[str, Any]:
    """How the gateway hands a binary body on."""
    return {"body": b64encode(body).decode(), "isBase64Encoded": True}


@pytest.mark.parametrize(
    "body",
    [
        b'{"size_bytes": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b"[" * 500_000,
        b'{"a":' * 100_000,
        b'{"size_bytes": 1' + b"0" * 100_000 + b"}",
        b'{"size_bytes": 1e999}',
        b'{"filename": "' + b"x" * 1_000_000 + b'", "size_bytes": 1}',
        b"{" + b",".join(b'"k%d": 1' % number for number in range(50_000)) + b"}",
        '{"size_bytes": 1, "filename": "ä"}'.encode("latin-1"),
        '{"size_bytes": 1}'.encode("utf-16"),
        b"\xff\xfe",
        b"",
    ],
    ids=range(11),
)
def test_a_body_that_is_an_attack_is_a_bad_request(app: VideoJobs, body: bytes) -> None:
    status, problem = call(load_event("submit_json") | encoded(body))
    assert (status, problem["code"]) == (400, "invalid_request")
    assert len(problem["detail"]) < 500
    assert app.ports.jobs.list_by_owner("local", 10) == []


def test_a_body_that_is_not_the_base64_it_says_is_a_bad_request(app: VideoJobs) -> None:
    event = load_event("submit_json") | {"body": "%%%", "isBase64Encoded": True}
    assert refusal(event) == (400, "invalid_request")


def test_a_parameter_given_twice_or_of_another_type_is_refused(app: VideoJobs) -> None:
    queued_job(app)
    for name, query in (
        ("submit_video", {"frame_stride": "1,2"}),  # the gateway joins repeated parameters by commas
        ("submit_video", {"pipeline_id": "yolo_ocr,yolo_only"}),
        ("list_jobs", {"status": "failed,completed"}),
        ("results", {"limit": "1,1"}),
        ("results", {"from_frame": "1e2"}),
    ):
        status, problem = call(asked(name, query))
        assert (status, problem["type"]) == (400, "about:blank")


@pytest.mark.parametrize(
    "headers",
    [
        {f"x-header-{number}": "y" * 100 for number in range(2_000)},
        {"content-type": "application/json" + "; a=b" * 10_000},
        {"content-type": "x" * 100_000},
        {"content-type": "multipart/form-data; boundary=" + "b" * 100_000},
        {"content-type": "multipart/form-data"},
        {"content-type": "\x00"},
        {"if-none-match": ", ".join(['"x"'] * 20_000)},
        {"idempotency-key": "k" * 256},
        {"idempotency-key": ""},
        {"idempotency-key": "ключ"},
        {"x-forwarded-for": "127.0.0.1", "x-amzn-request-context": '{"authorizer": {}}'},
    ],
    ids=lambda headers: next(iter(headers)) + str(len(str(headers))),
)
def test_strange_headers_end_in_an_answer_of_the_api(app: VideoJobs, headers: dict[str, str]) -> None:
    event = load_event("submit_json")
    event["headers"] |= headers
    assert call(event)[0] in (201, 400, 415)


def test_a_form_of_a_hundred_thousand_parts_is_answered(app: VideoJobs) -> None:
    form = b"--b\r\nContent-Disposition: form-data; name=x\r\n\r\n\r\n" * 20_000 + b"--b--\r\n"
    event = load_event("submit_video")
    event["headers"]["content-type"] = "multipart/form-data; boundary=b"
    assert refusal(event | encoded(form)) == (400, "invalid_request")


@pytest.mark.parametrize("name", ["submit_json", "submit_video", "status", "job", "results", "list_jobs"])
def test_neither_tokens_nor_contents_reach_the_log(
    app: VideoJobs,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    name: str,
) -> None:
    # GIVEN requests with secrets everywhere, good ones, refused ones and one that fails over a fault of ours
    for broken in (False, True):
        event = asked(name, {"cursor": SECRET} if name != "submit_video" else {"pipeline_id": SECRET})
        event["headers"] |= {"authorization": f"Bearer {SECRET}", "cookie": SECRET, "idempotency-key": SECRET}
        if name == "submit_json":
            body = {"size_bytes": 9, "filename": SECRET, "callback_url": f"https://{SECRET}"}
            event["body"] = json.dumps(body)
        if broken:
            monkeypatch.setattr(app.ports, "jobs", None)
        call(event)
    # THEN the log says what happened, and none of them
    log = logged(caplog) + capsys.readouterr().out
    assert "request failed" in log or "request refused" in log
    assert SECRET not in log
    content = TINY.read_bytes()
    assert b64encode(content).decode()[:40] not in log
    assert repr(content[:16])[2:-1] not in log


def test_no_signature_reaches_the_log(
    services: VideoJobs,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    completed_job(services, tmp_path, frames=1)
    for name in ("submit_json", "results"):
        assert "signature" in answer_of(load_event(name))["body"].lower()
    assert "signature" not in (logged(caplog) + capsys.readouterr().out).lower()
