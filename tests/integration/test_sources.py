"""Videos from URLs through the functions: submitted to the API, fetched over HTTPS, accepted or refused."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from video_jobs.adapters.local.memory_sources import MemorySourceQueue
from video_jobs.adapters.local.memory_uploads import MemoryMultipartUploads
from video_jobs.application import VideoJobs
from video_jobs.domain.chunks import chunk_bytes_of
from video_jobs.domain.job import UploadState
from video_jobs.use_cases import fetch_turn

from functions.fetch_source import app as fetch_source
from tests.integration.conftest import EVENT_JOB_ID, assert_refused, call, load_event, logged, refusal
from tests.integration.job_states import code_of, stored_job
from tests.support.aws import Resources
from tests.support.clock import ManualClock
from tests.support.source_server import URL, SourceServer
from tools.local_stack.pollers import to_record
from tools.local_stack.template import Template

CHUNK = 5000
VIDEO = b"\0\0\0\x14ftypisom\0\0\2\0isom" + bytes(range(256)) * 50


def submitted(**body: Any) -> dict[str, Any]:
    """The request of a client that has the service fetch the video."""
    return load_event("submit_source_url") | {"body": json.dumps({"source_url": URL, **body})}


class Fetching:
    """A job whose video stands on a server, and the function that fetches it."""

    def __init__(self, app: VideoJobs, server: SourceServer, context: LambdaContext) -> None:
        assert isinstance(app.ports.fetches, MemorySourceQueue)
        self.app, self.server, self._context = app, server, context
        self.messages = app.ports.fetches.sent
        status, answer = call(submitted())
        assert (status, list(answer)) == (201, ["job_id"])
        self.job_id = answer["job_id"]

    def turn(self) -> None:
        """The function gets the oldest message, and takes it."""
        job_id, _ = self.messages.pop(0)
        event = load_event("fetch_source")
        event["Records"][0]["body"] = job_id
        assert fetch_source.lambda_handler(event, self._context) == {"batchItemFailures": []}

    def end(self) -> str | None:
        """Go on until nothing is to be done; why the job failed, if it did."""
        while self.messages:
            self.turn()
        job = stored_job(self.app, self.job_id)
        self.app.intake.accept_upload(job.upload.key)
        return code_of(stored_job(self.app, self.job_id))

    def arrived(self) -> bytes:
        job = stored_job(self.app, self.job_id)
        assert job.upload.state is UploadState.ACCEPTED
        assert job.upload.source is None
        return self.app.ports.storage.read_range(job.upload.key, 0, 10**6, job.upload.version)


@pytest.fixture
def fetching(
    app: VideoJobs, source_server: SourceServer, context: LambdaContext, monkeypatch: pytest.MonkeyPatch
) -> Fetching:
    """Chunks are small; all else is as it is, but for where public addresses lead to."""
    monkeypatch.setattr(fetch_turn, "chunk_bytes_of", lambda _: CHUNK)
    monkeypatch.setitem(vars(app.ports), "source_reader", source_server.reader())
    source_server.serve(VIDEO)
    return Fetching(app, source_server, context)


def test_a_video_comes_over_a_redirect_and_its_job_is_queued(fetching: Fetching) -> None:
    fetching.server.redirect("/video?signature=secret", "https://cdn.example/file")
    fetching.server.serve(VIDEO, "/file")
    assert fetching.end() is None
    assert fetching.arrived() == VIDEO
    assert fetching.app.ports.queue.size() == 1


def test_a_connection_that_is_cut_is_resumed_by_a_range(fetching: Fetching) -> None:
    fetching.server.serve(VIDEO).cuts.extend([CHUNK + 1, CHUNK - 1, CHUNK + 7])
    assert fetching.end() is None
    assert fetching.arrived() == VIDEO
    ranges = [asked.headers.get("range") for asked in fetching.server.asked]
    assert ranges == [None, f"bytes={CHUNK}-", f"bytes={CHUNK}-", f"bytes={2 * CHUNK}-"]


@pytest.mark.parametrize("how", [{"has_ranges": False}, {"etag": None}, {"is_declared": False}])
def test_a_server_that_cannot_resume_is_asked_again_for_all(fetching: Fetching, how: dict[str, Any]) -> None:
    fetching.server.serve(VIDEO, **how).cuts.append(CHUNK + 1)
    assert fetching.end() is None
    assert fetching.arrived() == VIDEO
    assert len(fetching.server.asked) == 2


def test_a_file_that_changes_between_two_turns_arrives_as_it_is_now(fetching: Fetching) -> None:
    fetching.server.serve(VIDEO).cuts.append(2 * CHUNK)
    fetching.turn()
    changed = VIDEO[:100] + VIDEO[100:][::-1]
    fetching.server.serve(changed, etag='"two"')
    assert fetching.end() is None
    assert fetching.arrived() == changed


@pytest.mark.parametrize(
    ("content", "how", "code"),
    [
        (b"", {"status": 404}, "source_not_found"),
        (b"", {"status": 403}, "source_refused"),
        (b"<html>log in</html>", {}, "invalid_mp4"),
        (b"", {}, "invalid_mp4"),
        (b"", {"status": 302, "headers": {"location": "https://10.0.0.1/"}}, "source_forbidden_address"),
        (b"", {"status": 302, "headers": {"location": "http://cdn.example/"}}, "source_bad_redirect"),
    ],
)
def test_what_cannot_be_fetched_fails_its_job_with_the_reason(
    fetching: Fetching, content: bytes, how: dict[str, Any], code: str
) -> None:
    fetching.server.serve(content, **how)
    assert fetching.end() == code
    job = call(job_request(fetching.job_id))[1]
    assert (job["status"], job["error"]["code"]) == ("failed", code)


@pytest.mark.parametrize("how", [{}, {"is_declared": False}])
def test_a_file_that_is_too_large_fails_its_job_whether_its_size_is_told_or_not(
    fetching: Fetching, how: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(vars(fetching.app.rules), "max_multipart_bytes", len(VIDEO) - 1)
    fetching.server.serve(VIDEO, **how)
    assert fetching.end() == "source_too_large"
    uploads = fetching.app.ports.uploads
    assert isinstance(uploads, MemoryMultipartUploads)
    assert uploads._uploads == {}


def test_the_url_is_neither_logged_nor_shown(fetching: Fetching, caplog: pytest.LogCaptureFixture) -> None:
    fetching.server.serve(VIDEO).cuts.append(10)
    shown = json.dumps(call(job_request(fetching.job_id)))
    assert fetching.end() is None
    shown += json.dumps(call(job_request(fetching.job_id)))
    assert "source.example" in shown
    for text in (shown, logged(caplog)):
        assert "secret" not in text
        assert "/video?" not in text


def job_request(job_id: str) -> dict[str, Any]:
    return json.loads(json.dumps(load_event("job")).replace(EVENT_JOB_ID, job_id))  # type: ignore[no-any-return]


def test_chunks_go_into_the_bucket_and_messages_through_the_queue(
    services: VideoJobs,
    resources: Resources,
    source_server: SourceServer,
    context: LambdaContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # GIVEN a video of three chunks on AWS, whose transfer breaks off in the second
    monkeypatch.setitem(vars(services.ports), "source_reader", source_server.reader())
    content = VIDEO + bytes(17 * 2**20)
    source_server.serve(content).cuts.append(9 * 2**20)
    job_id = call(submitted())[1]["job_id"]
    sqs = boto3.client("sqs", region_name="us-east-1")
    clock = ManualClock()
    clock.move_sqs(monkeypatch)
    # WHEN the function gets its messages
    for delay_s in (0, 10):
        clock.advance(delay_s)
        answer = sqs.receive_message(QueueUrl=resources.id("SourcesQueue"), AttributeNames=["All"])
        (message,) = answer["Messages"]
        assert message["Body"] == job_id
        event = {"Records": [to_record(message)]}
        assert fetch_source.lambda_handler(event, context) == {"batchItemFailures": []}
        sqs.delete_message(QueueUrl=resources.id("SourcesQueue"), ReceiptHandle=message["ReceiptHandle"])
    # THEN the video is whole, and came in two requests
    job = stored_job(services, job_id)
    found = services.ports.storage.find_file(job.upload.key)
    assert found is not None
    assert found.size_bytes == len(content)
    assert services.ports.storage.read_range(found.key, 0, len(content)) == content
    assert [asked.headers.get("range") for asked in source_server.asked] == [None, f"bytes={8 * 2**20}-"]
    accepted = services.intake.accept_upload(found.key, found.version)
    assert accepted is not None
    assert accepted.upload.state is UploadState.ACCEPTED


# --- the request -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"source_url": "http://source.example/"}, "https"),
        ({"source_url": "https://127.0.0.1/"}, "private"),
        ({"source_url": "https://source.example:444/"}, "443"),
        ({"source_url": ""}, "source_url"),
        ({"source_url": None}, "source_url"),
        ({"size_bytes": 9}, "size_bytes"),
        ({"upload_method": "multipart"}, "upload_method"),
        ({"languages": ["xxx"]}, "xxx"),
    ],
)
def test_a_wrong_request_is_refused_and_makes_no_job(
    app: VideoJobs, body: dict[str, Any], words: str
) -> None:
    code = "unknown_language" if "languages" in body else "invalid_request"
    assert_refused(app, submitted(**body), code, words)


def test_a_key_stands_for_one_url(app: VideoJobs) -> None:
    first = submitted()
    first["headers"]["idempotency-key"] = "k"
    assert call(first) == call(first)
    other = submitted(source_url=URL + "1")
    other["headers"]["idempotency-key"] = "k"
    assert refusal(other) == (422, "idempotency_mismatch")


def test_parts_of_a_fetch_cannot_be_uploaded(app: VideoJobs) -> None:
    job_id = call(submitted())[1]["job_id"]
    for name in ("upload", "sign_parts", "complete_upload", "abort_upload"):
        event = json.loads(json.dumps(load_event(name)).replace(EVENT_JOB_ID, job_id))
        assert refusal(event) == (409, "job_state")


def test_the_function_has_the_time_of_a_turn_and_the_queue_waits_longer(app: VideoJobs) -> None:
    function_s = Template().timeout_s("FetchSourceFunction")
    slowest_chunk_s = chunk_bytes_of(app.rules.max_multipart_bytes) / fetch_turn.MIN_BYTES_PER_S
    assert fetch_turn.TURN.total_seconds() + slowest_chunk_s + 60 < function_s
    assert Template().resources["SourcesQueue"]["Properties"]["VisibilityTimeout"] > function_s
