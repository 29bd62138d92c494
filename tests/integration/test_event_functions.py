"""The functions that S3, the dead letters and the schedule start, on their sample events."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from video_jobs.bootstrap import AwsServices
from video_jobs.domain.job import JobStatus, UploadState
from video_jobs.domain.transitions import Expected

from functions.dead_letter import app as dead_letter
from functions.reconcile import app as reconcile
from functions.upload_received import app as upload_received
from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.integration.conftest import EVENT_JOB_ID, load_event
from tests.integration.job_states import NOW, running_job, saved_job


def upload_tiny(services: AwsServices) -> None:
    services.storage.save_file(f"video_jobs/{EVENT_JOB_ID}.mp4", TINY, "video/mp4")


def event_of_current_version(name: str, services: AwsServices) -> dict[str, Any]:
    stored = services.storage.find_file(f"video_jobs/{EVENT_JOB_ID}.mp4")
    assert stored is not None
    event = load_event(name)
    for record in event["Records"]:
        if "096fKKX" in record["body"]:
            record["body"] = record["body"].replace("096fKKXTRTtl3on89fVO.nfljtsv6qko", stored.version or "")
    return event


@pytest.mark.parametrize("name", ["upload_received", "upload_received_encoded_key"])
def test_an_upload_queues_its_job(services: AwsServices, context: LambdaContext, name: str) -> None:
    saved_job(services)
    upload_tiny(services)
    answer = upload_received.lambda_handler(event_of_current_version(name, services), context)
    assert answer == {"batchItemFailures": []}
    message = services.queue.dequeue()
    assert message is not None
    assert (message.body, message.generation) == (EVENT_JOB_ID, 1)
    job = services.jobs.get_by_id(EVENT_JOB_ID)
    assert job is not None
    assert job.input_version is not None


def test_an_upload_whose_event_names_no_version_is_taken_as_it_is_now(
    services: AwsServices, context: LambdaContext
) -> None:
    saved_job(services)
    upload_tiny(services)
    event = load_event("upload_received")
    body = json.loads(event["Records"][0]["body"])
    del body["Records"][0]["s3"]["object"]["versionId"]
    event["Records"][0]["body"] = json.dumps(body)
    assert upload_received.lambda_handler(event, context) == {"batchItemFailures": []}
    job = services.jobs.get_by_id(EVENT_JOB_ID)
    assert job is not None
    assert job.input_version is not None


def test_an_upload_of_no_job_is_removed(services: AwsServices, context: LambdaContext) -> None:
    upload_tiny(services)
    event = event_of_current_version("upload_received", services)
    assert upload_received.lambda_handler(event, context) == {"batchItemFailures": []}
    assert services.storage.find_file(f"video_jobs/{EVENT_JOB_ID}.mp4") is None


def test_the_test_event_of_s3_is_no_upload(services: AwsServices, context: LambdaContext) -> None:
    answer = upload_received.lambda_handler(load_event("upload_received_test_event"), context)
    assert answer == {"batchItemFailures": []}


def test_a_malformed_message_fails_alone(services: AwsServices, context: LambdaContext) -> None:
    saved_job(services)
    upload_tiny(services)
    event = event_of_current_version("upload_received_malformed", services)
    answer = upload_received.lambda_handler(event, context)
    assert [item["itemIdentifier"] for item in answer["batchItemFailures"]] == [
        event["Records"][0]["messageId"]
    ]
    assert services.queue.size() == 1


def test_a_dead_letter_fails_its_job(services: AwsServices, context: LambdaContext) -> None:
    running_job(services, NOW)
    assert dead_letter.lambda_handler(load_event("dead_letter"), context) == {"batchItemFailures": []}
    job = services.jobs.get_by_id(EVENT_JOB_ID)
    assert job is not None
    assert (job.status, job.error_code) == (JobStatus.FAILED, "dead_letter")


def test_a_dead_letter_of_a_held_job_stays(services: AwsServices, context: LambdaContext) -> None:
    running_job(services, datetime.now(UTC))
    answer = dead_letter.lambda_handler(load_event("dead_letter"), context)
    assert len(answer["batchItemFailures"]) == 1
    job = services.jobs.get_by_id(EVENT_JOB_ID)
    assert job is not None
    assert job.status is JobStatus.RUNNING


def test_a_dead_letter_of_an_older_generation_does_nothing(
    services: AwsServices, context: LambdaContext
) -> None:
    job = saved_job(services, upload_state=UploadState.ACCEPTED, generation=2)
    dead_letter.lambda_handler(load_event("dead_letter"), context)
    assert services.jobs.get_by_id(EVENT_JOB_ID) == job


def test_a_dead_letter_of_no_job_is_taken(services: AwsServices, context: LambdaContext) -> None:
    answer = dead_letter.lambda_handler(load_event("dead_letter_not_a_job"), context)
    assert answer == {"batchItemFailures": []}


def run_reconcile(context: LambdaContext) -> dict[str, int]:
    return reconcile.lambda_handler(load_event("reconcile_schedule"), context)


def test_reconcile_takes_back_an_expired_lease(services: AwsServices, context: LambdaContext) -> None:
    running_job(services, NOW)
    assert run_reconcile(context) == {"taken_back": 1}
    job = services.jobs.get_by_id(EVENT_JOB_ID)
    assert job is not None
    assert (job.status, job.generation, job.crashes) == (JobStatus.PENDING, 2, 1)
    assert services.queue.size() == 1
    assert run_reconcile(context) == {}


def test_reconcile_sends_what_was_never_sent(services: AwsServices, context: LambdaContext) -> None:
    saved_job(services, upload_state=UploadState.ACCEPTED, generation=1, due_at=NOW)
    assert run_reconcile(context) == {"sent_again": 1}
    assert services.queue.size() == 1


def test_reconcile_finds_an_upload_without_event(services: AwsServices, context: LambdaContext) -> None:
    saved_job(services, due_at=NOW)
    upload_tiny(services)
    assert run_reconcile(context) == {"accepted_late": 1}
    assert services.queue.size() == 1


def test_reconcile_removes_a_video_whose_job_was_deleted_meanwhile(
    services: AwsServices, context: LambdaContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = saved_job(services, due_at=NOW)
    upload_tiny(services)
    services.jobs.delete(job.job_id, Expected(status=job.status))
    monkeypatch.setattr(services.jobs, "list_due", lambda *_: [job])  # read before it was deleted
    run_reconcile(context)
    assert services.storage.find_file(job.input_path) is None


def test_reconcile_ends_an_upload_that_never_came(services: AwsServices, context: LambdaContext) -> None:
    saved_job(services, due_at=NOW)
    assert run_reconcile(context) == {"failed": 1}
    job = services.jobs.get_by_id(EVENT_JOB_ID)
    assert job is not None
    assert job.error_code == "upload_expired"


def test_reconcile_ends_a_job_that_kills_its_workers(services: AwsServices, context: LambdaContext) -> None:
    saved_job(
        services,
        status=JobStatus.RUNNING,
        upload_state=UploadState.ACCEPTED,
        generation=1,
        attempt=5,
        crashes=4,
        lease_owner="w",
        lease_expires_at=NOW,
        due_at=NOW,
    )
    assert run_reconcile(context) == {"failed": 1}
    job = services.jobs.get_by_id(EVENT_JOB_ID)
    assert job is not None
    assert (job.status, job.error_code) == (JobStatus.FAILED, "worker_crashed")
