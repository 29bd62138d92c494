"""A large video in parts: offer, sign, resume, complete, abort."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import boto3
import pytest
from video_jobs.adapters.local.memory_uploads import MemoryMultipartUploads
from video_jobs.application import VideoJobs
from video_jobs.domain.changes import UPLOAD_GRACE
from video_jobs.domain.chunks import MIB, MIN_CHUNK_BYTES, size_of_chunk
from video_jobs.domain.errors import FileMissingError, InvalidRequestError, TransientError
from video_jobs.domain.job import Job, UploadState

from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.integration.conftest import asked, call, load_event, refusal
from tests.integration.job_states import (
    NOW,
    awaiting_chunks,
    code_of,
    put_only_chunk,
    saved_job,
    stored_job,
    uploaded_video,
)
from tests.support.aws import Resources
from tests.support.clock import ManualClock
from tests.support.every_call import handle

VIDEO = TINY.read_bytes().ljust(2 * MIN_CHUNK_BYTES + MIB, b"\0")
"""Three chunks, the last one short."""


def put_chunk(app: VideoJobs, job: Job, number: int, content: bytes | None = None) -> None:
    """What a PUT to a signed URL does."""
    assert isinstance(app.ports.uploads, MemoryMultipartUploads)
    start = (number - 1) * MIN_CHUNK_BYTES
    body = VIDEO[start : start + MIN_CHUNK_BYTES] if content is None else content
    app.ports.uploads.put_chunk(job.upload.key, job.upload.multipart_id or "", number, body)


def test_submit_offers_parts(app: VideoJobs) -> None:
    status, body = call("submit_multipart")
    assert (status, sorted(body)) == (201, ["job_id", "multipart"])
    assert body["multipart"] == {"part_bytes": 8 * MIB, "part_count": 19}
    upload = stored_job(app, body["job_id"]).upload
    assert upload.announced_bytes == 150 * MIB
    assert app.ports.uploads.list_chunks(upload.key, upload.multipart_id or "") == []


def test_submit_again_under_a_key_is_one_upload(services: VideoJobs, resources: Resources) -> None:
    event = load_event("submit_multipart")
    event["headers"]["idempotency-key"] = "k"
    first, second = call(event), call(event)
    assert first == second
    s3 = boto3.client("s3", region_name="us-east-1")
    assert len(s3.list_multipart_uploads(Bucket=resources.id("MediaBucket"))["Uploads"]) == 1


def test_a_video_that_is_too_large_even_in_parts(app: VideoJobs) -> None:
    event = load_event("submit_multipart") | {"body": '{"size_bytes": 1e12, "upload_method": "multipart"}'}
    assert refusal(event) == (413, "video_too_large")


def test_parts_are_signed_with_their_length(services: VideoJobs) -> None:
    awaiting_chunks(services, len(VIDEO))
    status, body = call("sign_parts")
    assert status == 200
    assert [part["part_number"] for part in body["parts"]] == [1, 2]
    for part in body["parts"]:
        assert part["size_bytes"] == MIN_CHUNK_BYTES
        assert "content-length" in part["url"].lower()
        assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in part["url"]


def test_a_job_waits_an_hour_longer_than_its_newest_signature(app: VideoJobs, clock: ManualClock) -> None:
    assert awaiting_chunks(app, len(VIDEO)).due_at is None
    call("sign_parts")
    assert stored_job(app).due_at == clock.now() + app.rules.upload_expires + UPLOAD_GRACE


def test_a_client_that_was_cut_off_sees_what_is_there_and_goes_on(app: VideoJobs) -> None:
    job = awaiting_chunks(app, len(VIDEO))
    put_chunk(app, job, 1)
    put_chunk(app, job, 3)
    _, body = call("upload")
    assert [part["part_number"] for part in body["parts"]] == [1, 3]
    assert (body["size_bytes"], body["part_count"]) == (len(VIDEO), 3)
    # WHEN it completes too early, it is told what is missing
    status, problem = call("complete_upload")
    assert (status, problem["code"]) == (409, "upload_incomplete")
    assert problem["detail"].endswith(": 2")
    # AND a part of a wrong size is told too
    put_chunk(app, job, 2, b"x")
    assert call("complete_upload")[1]["detail"].endswith(": 2")
    put_chunk(app, job, 2)
    # THEN the job gets its video, byte for byte; completing again changes nothing
    for _ in range(2):
        assert call("complete_upload")[0] == 200
    assert app.ports.storage.read_range(job.upload.key, 0, len(VIDEO) + 1) == VIDEO
    accepted = app.intake.accept_upload(job.upload.key)
    assert accepted is not None
    assert (accepted.upload.state, accepted.upload.size_bytes) == (UploadState.ACCEPTED, len(VIDEO))
    assert app.ports.queue.size() == 1
    assert refusal("sign_parts") == (409, "job_state")


@pytest.mark.parametrize("taken_before", ["list_chunks", "complete"])
@pytest.mark.parametrize("by", ["complete", "abort"])
def test_an_upload_that_another_request_takes_away(
    app: VideoJobs, monkeypatch: pytest.MonkeyPatch, taken_before: str, by: str
) -> None:
    # GIVEN an upload that another request completes, or aborts, while this one completes it
    job = awaiting_chunks(app, len(VIDEO))
    for number in (1, 2, 3):
        put_chunk(app, job, number)
    uploads, upload_id = app.ports.uploads, job.upload.multipart_id or ""
    chunks = uploads.list_chunks(job.upload.key, upload_id)
    takes = {
        "complete": partial(uploads.complete, job.upload.key, upload_id, chunks),
        "abort": partial(uploads.abort, job.upload.key, upload_id),
    }
    own = getattr(uploads, taken_before)

    def after_another(*arguments: object) -> object:
        takes[by]()
        return own(*arguments)

    monkeypatch.setattr(uploads, taken_before, after_another)
    # WHEN it goes on
    status, body = call("complete_upload")
    # THEN the video that is there is taken, and a lost one is told
    if by == "complete":
        assert (status, body["job_id"]) == (200, job.job_id)
    else:
        assert (status, body["code"]) == (409, "job_state")
        assert body["detail"] == "The upload is gone; submit the job again as a new one"


def test_a_video_of_one_part_is_completed_on_s3(services: VideoJobs, resources: Resources) -> None:
    video = TINY.read_bytes()
    job = awaiting_chunks(services, len(video))
    put_only_chunk(resources.id("MediaBucket"), job)
    assert call("complete_upload")[0] == 200
    assert services.ports.storage.read_range(job.upload.key, 0, len(video) + 1) == video


def test_an_object_larger_than_announced_fails_its_job(app: VideoJobs) -> None:
    job = awaiting_chunks(app, TINY.stat().st_size - 1)
    uploaded_video(app)
    app.intake.accept_upload(job.upload.key)
    assert code_of(stored_job(app)) == "video_too_large"


@pytest.mark.parametrize("end", ["cancel_job", "delete_job", "reconcile_schedule"])
def test_an_awaited_upload_goes_with_its_job(services: VideoJobs, resources: Resources, end: str) -> None:
    # GIVEN a chunk was uploaded
    job = awaiting_chunks(services, 2 * 2**20, due_at=NOW)
    bucket = resources.id("MediaBucket")
    put_only_chunk(bucket, job)
    s3 = boto3.client("s3", region_name="us-east-1")
    assert len(s3.list_multipart_uploads(Bucket=bucket)["Uploads"]) == 1
    # WHEN the job is cancelled, deleted, or has waited too long, THEN no upload is left that costs storage
    handle(load_event(end), end)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)
    # AND asking again is no error
    if end != "delete_job":
        assert services.ports.jobs.get_by_id(job.job_id) is not None
        assert handle(load_event("cancel_job"), "cancel_job")["statusCode"] in (200, 409)
        assert handle(load_event("delete_job"), "delete_job")["statusCode"] == 204


def test_what_could_not_be_removed_is_removed_when_the_owner_asks_again(
    app: VideoJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = awaiting_chunks(app, 2 * 2**20)

    def fail(*_: object) -> None:
        raise TransientError

    with monkeypatch.context() as patched:
        patched.setattr(app.ports.uploads, "abort", fail)
        assert refusal("cancel_job")[0] == 503
    assert app.ports.uploads.list_chunks(job.upload.key, job.upload.multipart_id or "") == []
    assert call("cancel_job")[0] == 200
    with pytest.raises(FileMissingError):
        app.ports.uploads.list_chunks(job.upload.key, job.upload.multipart_id or "")


def test_abort_cancels_the_job_and_removes_the_parts(app: VideoJobs) -> None:
    job = awaiting_chunks(app, len(VIDEO))
    put_chunk(app, job, 1)
    for _ in range(2):
        status, body = call("abort_upload")
        assert (status, body["error"]["code"]) == (200, "cancelled")
    assert refusal("upload") == (409, "job_state")
    with pytest.raises(FileMissingError):
        app.ports.uploads.list_chunks(job.upload.key, job.upload.multipart_id or "")


@pytest.mark.parametrize("name", ["upload", "abort_upload", "sign_parts", "complete_upload"])
def test_a_job_without_parts_says_so_and_anothers_is_not_found(app: VideoJobs, name: str) -> None:
    job = saved_job(app)
    assert refusal(name) == (409, "job_state")
    assert refusal(asked(name, owner="ann")) == (404, "job_not_found")
    assert stored_job(app) == job


def test_part_numbers_that_are_none_are_refused(app: VideoJobs) -> None:
    awaiting_chunks(app, len(VIDEO))
    wrong: list[Any] = [[], [0], [10001], [4], "1", list(range(1, 102))]
    for body in ({}, *({"part_numbers": numbers} for numbers in wrong)):
        assert refusal(load_event("sign_parts") | {"body": json.dumps(body)}) == (400, "invalid_request")


def test_the_size_of_a_part_is_that_of_its_number() -> None:
    assert [size_of_chunk(len(VIDEO), number) for number in (1, 3)] == [MIN_CHUNK_BYTES, MIB]
    with pytest.raises(InvalidRequestError):
        size_of_chunk(len(VIDEO), 4)
