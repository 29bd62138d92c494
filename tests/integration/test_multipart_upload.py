"""A large video in parts: offer, sign, resume, complete, abort."""

from __future__ import annotations

import boto3
import pytest
from video_jobs.bootstrap import AwsServices
from video_jobs.domain import multipart
from video_jobs.domain.errors import InvalidRequestError
from video_jobs.domain.job import Job, JobStatus, UploadState
from video_jobs.domain.multipart import MIB, part_bytes_of, part_sizes, size_of_part

from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.integration.conftest import EVENT_JOB_ID, call, load_event
from tests.integration.job_states import saved_job
from tests.integration.test_job_routes import asked

VIDEO = TINY.read_bytes()
PART_BYTES = -(-len(VIDEO) // 3)


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three parts of a tiny video; S3 itself wants 5 MiB a part, which moto can be told to forget."""
    monkeypatch.setattr(multipart, "part_bytes_of", lambda _: PART_BYTES)
    monkeypatch.setattr("functions.video_api.routes.uploads.part_bytes_of", lambda _: PART_BYTES)
    monkeypatch.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", 1)


def awaiting_parts(services: AwsServices) -> Job:
    key = f"video_jobs/{EVENT_JOB_ID}.mp4"
    upload_id = services.uploads.create(key, "video/mp4")
    return saved_job(services, upload_id=upload_id, upload_bytes=len(VIDEO))


def put_part(services: AwsServices, job: Job, number: int, content: bytes | None = None) -> None:
    start = (number - 1) * PART_BYTES
    body = VIDEO[start : start + PART_BYTES] if content is None else content
    boto3.client("s3", region_name="us-east-1").upload_part(
        Bucket=services.settings.bucket_name,
        Key=job.input_path,
        UploadId=job.upload_id or "",
        PartNumber=number,
        Body=body,
    )


def test_submit_offers_parts(services: AwsServices) -> None:
    status, body = call("submit_multipart")
    assert (status, sorted(body)) == (201, ["job_id", "multipart"])
    assert body["multipart"] == {"part_bytes": 8 * MIB, "part_count": 19}
    job = services.jobs.get_by_id(body["job_id"])
    assert job is not None
    assert job.upload_bytes == 150 * MIB
    assert services.uploads.list_parts(job.input_path, job.upload_id or "") == []


def test_submit_again_under_a_key_is_one_upload(services: AwsServices) -> None:
    event = load_event("submit_multipart")
    event["headers"]["idempotency-key"] = "k"
    first, second = call(event), call(event)
    assert first == second
    listed = boto3.client("s3", region_name="us-east-1").list_multipart_uploads(
        Bucket=services.settings.bucket_name
    )
    assert len(listed["Uploads"]) == 1


def test_a_video_that_is_too_large_even_in_parts(services: AwsServices) -> None:
    event = load_event("submit_multipart") | {"body": '{"size_bytes": 1e12, "upload_method": "multipart"}'}
    status, body = call(event)
    assert (status, body["code"]) == (413, "video_too_large")


@pytest.mark.usefixtures("small_parts")
def test_parts_are_signed_with_their_length_and_keep_the_job_waiting(services: AwsServices) -> None:
    before = awaiting_parts(services)
    status, body = call("sign_parts")
    assert status == 200
    assert [part["part_number"] for part in body["parts"]] == [1, 2]
    for part in body["parts"]:
        assert part["size_bytes"] == PART_BYTES
        assert "content-length" in part["url"].lower()
        assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in part["url"]
    after = services.jobs.get_by_id(before.job_id)
    assert after is not None
    assert after.due_at is not None


@pytest.mark.usefixtures("small_parts")
def test_a_client_that_was_cut_off_sees_what_is_there_and_goes_on(services: AwsServices) -> None:
    job = awaiting_parts(services)
    put_part(services, job, 1)
    put_part(services, job, 3)
    _, body = call("upload")
    assert [part["part_number"] for part in body["parts"]] == [1, 3]
    assert (body["size_bytes"], body["part_count"]) == (len(VIDEO), 3)
    # WHEN it completes too early, it is told what is missing
    status, problem = call("complete_upload")
    assert (status, problem["code"]) == (409, "upload_incomplete")
    assert problem["detail"].endswith(": 2")
    # AND a part of a wrong size is told too
    put_part(services, job, 2, b"x")
    assert call("complete_upload")[1]["detail"].endswith(": 2")
    put_part(services, job, 2)
    # THEN the job gets its video, byte for byte; completing again changes nothing
    for _ in range(2):
        assert call("complete_upload")[0] == 200
    stored = services.storage.find_file(job.input_path)
    assert stored is not None
    assert services.storage.read_range(job.input_path, 0, len(VIDEO) + 1) == VIDEO
    accepted = services.accept_upload(job.input_path, stored.version)
    assert accepted is not None
    assert (accepted.upload_state, accepted.input_bytes) == (UploadState.ACCEPTED, len(VIDEO))
    assert services.queue.size() == 1
    assert call("sign_parts")[1]["code"] == "job_state"


def test_an_object_larger_than_announced_fails_its_job(services: AwsServices) -> None:
    job = saved_job(services, upload_id="u", upload_bytes=len(VIDEO) - 1)
    services.storage.save_file(job.input_path, TINY, "video/mp4")
    failed = services.accept_upload(job.input_path)
    assert failed is not None
    assert failed.error_code == "video_too_large"


def test_abort_cancels_the_job_and_removes_the_parts(services: AwsServices) -> None:
    job = awaiting_parts(services)
    put_part(services, job, 1)
    for _ in range(2):
        status, body = call("abort_upload")
        assert (status, body["error"]["code"]) == (200, "cancelled")
    assert call("upload")[1]["code"] == "job_state"
    listed = boto3.client("s3", region_name="us-east-1").list_multipart_uploads(
        Bucket=services.settings.bucket_name
    )
    assert listed.get("Uploads", []) == []


@pytest.mark.parametrize("name", ["upload", "abort_upload", "sign_parts", "complete_upload"])
def test_a_job_without_parts_says_so_and_anothers_is_not_found(services: AwsServices, name: str) -> None:
    job = saved_job(services)
    assert call(name)[1]["code"] == "job_state"
    assert call(asked(name, owner="ann"))[1]["code"] == "job_not_found"
    after = services.jobs.get_by_id(job.job_id)
    assert after is not None
    assert after.status is JobStatus.PENDING


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        '{"part_numbers": []}',
        '{"part_numbers": [0]}',
        '{"part_numbers": [10001]}',
        '{"part_numbers": [4]}',
        '{"part_numbers": "1"}',
        f'{{"part_numbers": {list(range(1, 102))}}}',
    ],
)
def test_part_numbers_that_are_none_are_refused(services: AwsServices, body: str) -> None:
    awaiting_parts(services)
    status, problem = call(load_event("sign_parts") | {"body": body})
    assert (status, problem["code"]) == (400, "invalid_request")


@pytest.mark.parametrize("size_bytes", [1, 8 * MIB, 8 * MIB + 1, 150 * MIB, 20 * 2**30, 5 * 2**40])
def test_parts_add_up_within_the_limits_of_s3(size_bytes: int) -> None:
    sizes = part_sizes(size_bytes)
    assert sum(sizes) == size_bytes
    assert len(sizes) <= multipart.MAX_PARTS
    assert all(size >= 5 * MIB for size in sizes[:-1])
    assert sizes[0] <= part_bytes_of(size_bytes)
    assert size_of_part(size_bytes, len(sizes)) == sizes[-1]
    with pytest.raises(InvalidRequestError):
        size_of_part(size_bytes, len(sizes) + 1)
