"""The smoke test: it passes if all is well, and says what is wrong if something is not."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.conftest import Api
from tests.support.commands import run_in
from tests.support.played_service import problem_of
from tests.support.pretend_service import FRAMES, SIGNATURE, PretendService, frame, status
from tools import smoke_test
from tools.local_stack.authorizer import JwtAuthorizer
from tools.local_stack.development_issuer import DevelopmentIssuer
from tools.smoke_login import (
    ID_VARIABLE,
    SECRET_VARIABLE,
    TOKEN_VARIABLE,
    URL_VARIABLE,
    checked_token,
    log_in,
)
from tools.smoke_service import RESULTS_FORM, STATUS_FORM, Service, SmokeTestError, UsageError
from tools.smoke_test import FIXTURE, SmokeTest

TOKEN = "a.secret.token"
STEPS = 11


@pytest.fixture
def pretend() -> Iterator[PretendService]:
    with PretendService() as service:
        yield service


def run_against(url: str, timeout_s: float = 10) -> None:
    SmokeTest(Service(url, TOKEN), FIXTURE, FRAMES, timeout_s).run()


def failure_of(capsys: pytest.CaptureFixture[str], url: str, timeout_s: float = 10) -> str:
    """What is said of a service that is not well: one sentence, with nothing secret in it."""
    with pytest.raises(SmokeTestError):
        run_against(url, timeout_s)
    output = capsys.readouterr()
    assert len(re.findall(r"^FAILED .+ \d+\.\d\d s$", output.out, re.MULTILINE)) == 1
    assert TOKEN not in output.out + output.err
    assert SIGNATURE not in output.out + output.err
    (said,) = output.err.splitlines()
    return said


def smoke_in(folder: Path, *arguments: str) -> tuple[int, str]:
    process = run_in(folder, "-m", "tools.smoke_test", *arguments)
    output, _ = process.communicate(timeout=120)
    assert "Traceback" not in output
    return process.returncode, output


def jobs_of(url: str) -> set[str]:
    listed = requests.get(f"{url}/video/jobs", params={"limit": 100}, timeout=30).json()["jobs"]
    return {one["job_id"] for one in listed}


def test_a_running_service_passes_and_nothing_is_left(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
    before = jobs_of(api.url)
    exit_code, output = smoke_in(tmp_path, api.url)
    assert exit_code == 0, output
    assert len(re.findall(r"^ok .+ \d+\.\d\d s$", output, re.MULTILINE)) == STEPS
    assert TOKEN not in output
    assert "amz" not in output.lower()
    assert jobs_of(api.url) == before


def test_exit_codes_tell_a_failure_from_wrong_usage(tmp_path: Path, pretend: PretendService) -> None:
    pretend.answers["GET /health"] = (200, "<p>Welcome</p>")
    exit_code, output = smoke_in(tmp_path, pretend.url)
    assert exit_code == 1
    assert "GET /health answered text/html, not application/json: is the address that of this" in output
    exit_code, output = smoke_in(tmp_path)
    assert exit_code == 2
    assert "give either BASE_URL or --local" in output


def test_a_dead_port_fails_clearly(capsys: pytest.CaptureFixture[str]) -> None:
    with PretendService() as service:
        url = service.url
    assert f"{url} does not answer (no connection): is the address right" in failure_of(capsys, url)


@pytest.mark.parametrize("url", ["api", "ftp://api", "http://", "http://me:word@api", "http://api?key=word"])
def test_an_address_that_is_none_or_holds_a_secret_is_refused(url: str) -> None:
    with pytest.raises(UsageError) as error:
        smoke_test.checked_url(url)
    assert "word" not in str(error.value)


def test_a_token_is_trimmed_and_one_that_breaks_the_header_is_refused_unnamed() -> None:
    assert checked_token(f"{TOKEN}\n") == TOKEN
    assert checked_token(None) is None
    with pytest.raises(UsageError) as error:
        checked_token(f"{TOKEN}\r\nx:y")
    assert TOKEN not in str(error.value)


def test_a_machine_logs_in_with_its_id_and_secret() -> None:
    with DevelopmentIssuer() as issuer:
        machine = {URL_VARIABLE: issuer.token_url, ID_VARIABLE: "robot", SECRET_VARIABLE: "s3cret"}
        token, who = log_in(None, machine)
        assert who == "as the client robot"
        claims = JwtAuthorizer(issuer.url, [issuer.audience]).claims_of(token)
        assert claims["sub"] == "robot"
        # AND a token that is given comes before that, and without either there is none
        assert log_in(TOKEN, machine) == (TOKEN, "with the given token")
        assert log_in(None, machine | {TOKEN_VARIABLE: TOKEN}) == (TOKEN, "with the given token")
        assert log_in(None, {}) == (None, "without a token")
        # AND what is missing or wrong is named, but not shown
        for change in ({SECRET_VARIABLE: ""}, {ID_VARIABLE: ""}, {URL_VARIABLE: "http://example.com/token"}):
            with pytest.raises(UsageError, match="SMOKE_TEST_") as error:
                log_in(None, machine | change)
            assert "s3cret" not in str(error.value)
        with pytest.raises(SmokeTestError, match="answered 404 not_found, and no token") as refused:
            log_in(None, machine | {URL_VARIABLE: f"{issuer.url}/tokens"})
        assert "s3cret" not in str(refused.value)
    with pytest.raises(SmokeTestError, match=r"SMOKE_TEST_TOKEN_URL: .*does not answer"):
        log_in(None, machine)


def test_the_first_line_says_what_is_tested_and_as_whom(tmp_path: Path, pretend: PretendService) -> None:
    _, output = smoke_in(tmp_path, pretend.url)
    assert output.splitlines()[0] == f"Testing {pretend.url} without a token"
    _, output = smoke_in(tmp_path, pretend.url, "--token", TOKEN)
    assert output.splitlines()[0] == f"Testing {pretend.url} with the given token"
    assert TOKEN not in output


@pytest.mark.parametrize(("size_bytes", "word"), [(None, "no file"), (9, "moov"), (2**22 + 1, "larger")])
def test_a_video_that_cannot_serve_is_refused(tmp_path: Path, size_bytes: int | None, word: str) -> None:
    video = tmp_path / "clip.mp4"
    if size_bytes is not None:
        video.write_bytes(bytes(size_bytes))
    with pytest.raises(UsageError, match=word):
        smoke_test.frames_of(video)


def test_the_token_goes_to_the_api_alone(capsys: pytest.CaptureFixture[str], pretend: PretendService) -> None:
    run_against(pretend.url)
    sent = {(call.split()[1].startswith("/storage"), token) for call, token, _ in pretend.seen}
    assert sent == {(False, f"Bearer {TOKEN}"), (True, None)}
    assert pretend.deleted == ["sent", "stored"]
    # AND no redirect takes it elsewhere
    with PretendService() as other:
        pretend.answers["GET /health"] = (302, "")
        pretend.headers["Location"] = f"{other.url}/health"
        capsys.readouterr()
        assert "GET /health answered 302, not 200" in failure_of(capsys, pretend.url)
        assert other.seen == []


def test_a_text_that_was_taken_for_a_video_is_deleted(
    capsys: pytest.CaptureFixture[str], pretend: PretendService
) -> None:
    pretend.answers["POST /video/submit text"] = (201, {"job_id": "sent"})
    assert "POST /video/submit of a text answered 201, not 400" in failure_of(capsys, pretend.url)
    assert pretend.deleted == ["sent"]


def test_it_asks_again_when_the_service_says(pretend: PretendService) -> None:
    # GIVEN a job that is asked for its form, waited for, and asked for its form again
    words = ("pending", "pending", "completed", "completed")
    pretend.answers["GET /video/status/sent"] = [(200, status("sent", word)) for word in words]
    pretend.headers["Retry-After"] = "1"
    run_against(pretend.url)
    _, first, second, _ = [at for call, _, at in pretend.seen if call == "GET /video/status/sent"]
    assert second - first >= 1


def test_results_are_read_page_by_page(pretend: PretendService) -> None:
    call = "GET /video/results/sent"
    _, body = pretend.answers[call]
    first, second = body["results"][:1], body["results"][1:]
    pretend.answers[call] = [
        (200, body),
        (200, body | {"results": first, "track_ids": [[1]], "next_cursor": "more"}),
        (200, body | {"results": second, "track_ids": [[1]] * len(second)}),
        (200, body),
    ]
    run_against(pretend.url)
    assert pretend.cursors == ["more"]


def frames(first: dict[str, Any] | None = None, *others: int, **changes: Any) -> list[dict[str, Any]]:
    """The frames of the video, the first of them changed."""
    return [first or frame(0, **changes), *map(frame, others or range(1, FRAMES))]


LACKING = {"frame_index": 0, "result": {key: one for key, one in frame(0)["result"].items() if key != "text"}}
DENIED = f"<Code>Denied</Code>{SIGNATURE}"


@pytest.mark.parametrize(
    ("call", "answer", "sentence"),
    [
        # another field, value or type than is documented
        ("GET /health", {"status": "so so"}, "GET /health answered what is not documented (status: "),
        ("POST /video/submit video", {"id": 1}, "what is not documented (id: Extra inputs"),
        ("POST /video/submit json", {"upload": None}, "offered no upload"),
        ("POST /video/submit text", {"code": "other"}, "was refused as other, not as invalid_mp4"),
        ("GET /video/status/sent", {"progress": 0.5}, "Job sent is completed at progress 0.5"),
        ("GET /video/status/sent", {"updated_at": None}, "answered updated_at as NoneType, which is not its"),
        ("GET /video/status/sent", {"created_at": "now", "state": 1}, "(state: Extra inputs"),
        ("GET /video/jobs/sent", {"frames_done": 3}, "reports 3 frames, 100 %, where 4 are"),
        ("GET /video/jobs/sent", {"frames_done": "4"}, "(frames_done: Input should be a valid integer)"),
        ("GET /storage/sent", {"results": []}, "The pages and the results file of job sent differ"),
        ("GET /storage/sent", {"results": 1}, "The pages and the results file of job sent differ"),
        ("GET /video/results/sent", {"next_cursor": "more"}, "The next_cursor of a page has come before"),
        ("GET /video/results/sent", {"results": {"results": []}}, "results as dict, which is not its form"),
        ("GET /video/results/sent", {"results": [frame(0) | {"at": 1}]}, "a frame that is not of its form"),
        ("GET /video/results/sent", {"track_ids": [[1]] * 3}, "The tracks of job sent are not those of its"),
        ("GET /video/summary/sent", {"summary": None}, "of (None, 4, 4) frames, not of 4"),
        ("GET /storage/sent/summary_url", {"frames": 3}, "of (4, 3, 4) frames, not of 4"),
        ("GET /storage/sent/tracks_url", {"track_ids": [[1]]}, "of (4, 4, 1) frames, not of 4"),
        # another status
        ("POST /video/submit video", (401, {"message": f"No {TOKEN}"}), "401 (No ...), not 201: give"),
        ("POST /storage", (403, DENIED), "refused the video with status 403 (Denied): look at MediaBucket"),
        (
            "GET /storage/sent",
            (404, ""),
            "refused the download with status 404; try again: look at MediaBucket",
        ),
        ("GET /storage/sent", (200, "{}"), "The results file holds no results"),
        (
            "GET /video/results/sent",
            (500, problem_of("x", 500, "Try again")),
            "500 (Try again), not 200: look",
        ),
        # frames that are not there, or not whole
        ("frames", frames(None, 2, 3), "3 frames where 4 belong (frame 1 is missing)"),
        ("frames", frames(frame(1), 0, 2, 3), "(out of order, or too many)"),
        ("frames", frames(text=None), "not documented (results.0.result.text: Input should be"),
        ("frames", frames(LACKING), "Frame 0 does not hold what yolo_ocr gives (text is missing)"),
        ("frames", frames(count=2), "detections, count and classes do not agree"),
        ("frames", frames(classes={"car": 2}), "detections, count and classes do not agree"),
        ("frames", frames(confidence=93), "(results.0.result.confidence: Input should be less than"),
        ("frames", frames(error="no engine"), "Frame 0 does not hold what yolo_ocr gives (error is not"),
    ],
)
def test_a_wrong_answer_fails_and_the_jobs_are_deleted(
    capsys: pytest.CaptureFixture[str], pretend: PretendService, call: str, answer: Any, sentence: str
) -> None:
    if call == "frames":
        pretend.set_job("sent", "completed", answer)
    elif isinstance(answer, dict):
        pretend.change(call, **answer)
    else:
        pretend.answers[call] = answer
    assert sentence in failure_of(capsys, pretend.url)
    # AND the jobs that were made before are gone
    if "POST" not in call and "health" not in call:
        assert pretend.deleted == ["sent", "stored"]


@pytest.mark.parametrize(
    ("word", "fields", "sentence"),
    [
        ("failed", {}, "Job sent failed (It broke): look at the worker's log"),
        ("running", {}, "Job sent did not end within 0.1 s (4 of 4 frames)"),
        ("pending", {}, "No worker took job sent within 0.1 s: look at JobsQueue"),
        ("pending", {"size_bytes": None}, "The video of job sent was not noticed within 0.1 s"),
    ],
)
def test_a_job_that_does_not_complete_fails_and_is_deleted(
    capsys: pytest.CaptureFixture[str],
    pretend: PretendService,
    word: str,
    fields: dict[str, Any],
    sentence: str,
) -> None:
    # GIVEN a job that stays as it is, and cannot be deleted before it is cancelled
    pretend.set_job("sent", word, frames())
    pretend.change("GET /video/jobs/sent", **fields)
    pretend.answers["DELETE /video/jobs/sent"] = (409, problem_of("job_state", 409))
    # WHEN it is waited for, less long than the service asks
    pretend.headers["Retry-After"] = "600"
    said = failure_of(capsys, pretend.url, timeout_s=0.1)
    # THEN the sentence says what is the matter, and the job is deleted all the same
    assert sentence in said
    assert pretend.deleted == ["sent", "stored"]


def test_a_storage_out_of_reach_is_named_without_its_signature(
    capsys: pytest.CaptureFixture[str], pretend: PretendService
) -> None:
    with PretendService() as gone:
        url = f"{gone.url}/storage?X-Amz-Signature={SIGNATURE}"
    pretend.change("GET /video/results/sent", results_url=url)
    assert f"{gone.url} does not answer" in failure_of(capsys, pretend.url)


def test_a_test_that_is_stopped_deletes_its_jobs(tmp_path: Path, pretend: PretendService) -> None:
    # GIVEN a test that waits for a job
    pretend.set_job("sent", "pending", [])
    pretend.headers["Retry-After"] = "600"
    process = run_in(tmp_path, "-m", "tools.smoke_test", pretend.url)
    assert process.stdout is not None
    next(line for line in process.stdout if line.startswith("ok      a video through the storage"))
    # WHEN it is stopped
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=60)
    # THEN nothing is left
    assert process.returncode == 130
    assert "Traceback" not in output
    assert pretend.deleted == ["sent", "stored"]


@pytest.mark.parametrize(
    ("call", "field"),
    [
        *(("GET /video/status/sent", one) for one in STATUS_FORM),
        *(("GET /video/results/sent", one) for one in RESULTS_FORM),
    ],
)
def test_a_promised_field_that_is_gone_is_named(
    capsys: pytest.CaptureFixture[str], pretend: PretendService, call: str, field: str
) -> None:
    code, body = pretend.answers[call]
    pretend.answers[call] = (code, {key: value for key, value in body.items() if key != field})
    assert f"answered without {field}, which is promised" in failure_of(capsys, pretend.url)


def test_the_promised_fields_are_those_of_the_design() -> None:
    status_fields = {"job_id", "status", "progress", "created_at", "updated_at", "error_message"}
    assert set(STATUS_FORM) == status_fields
    assert set(RESULTS_FORM) >= {"job_id", "results", "created_at", "updated_at"}


def test_the_job_of_a_video_that_the_storage_refuses_is_deleted(
    capsys: pytest.CaptureFixture[str], pretend: PretendService
) -> None:
    pretend.answers["POST /storage"] = (403, DENIED)
    failure_of(capsys, pretend.url)
    assert pretend.deleted == ["sent", "stored"]
