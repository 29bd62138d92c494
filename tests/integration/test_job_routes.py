"""List, read, cancel, retry and delete jobs over HTTP events."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from video_jobs.bootstrap import AwsServices
from video_jobs.domain import transitions
from video_jobs.domain.errors import ConflictError
from video_jobs.domain.job import Job, JobStatus, UploadState
from video_jobs.domain.keys import part_key, results_index_key, results_key

from functions.video_api import app as video_api
from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.integration.conftest import EVENT_JOB_ID, call, load_event
from tests.integration.job_states import KEEP, LEASE, NOW, completed_job, queued_job, running_job, saved_job
from tools.local_stack.function_host import LocalContext

OWNED = ["status", "job", "results", "cancel_job", "retry_job", "delete_job"]


def answer_of(event: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = video_api.lambda_handler(
        event, cast(LambdaContext, LocalContext("video_api", 30))
    )
    return answer


def asked(name: str, query: dict[str, str] | None = None, owner: str = "local") -> dict[str, Any]:
    event = load_event(name) | {"queryStringParameters": query or {}}
    event["requestContext"]["authorizer"]["jwt"]["claims"]["sub"] = owner
    return event


def many_jobs(services: AwsServices, count: int, owner: str = "local") -> list[str]:
    """Ids, newest first; every third is of another pipeline."""
    ids = [f"{number:08x}-5f0e-4c57-9d3b-6a1f2f4a7c11" for number in range(count)]
    for number, job_id in enumerate(ids):
        pipeline_id = "ocr_only" if number % 3 == 0 else "yolo_ocr"
        made = NOW + timedelta(minutes=number // 2)  # two jobs of one moment
        saved_job(services, job_id=job_id, owner=owner, created_at=made, pipeline_id=pipeline_id)
    return ids[::-1]


def failed_job(services: AwsServices) -> Job:
    stored = services.storage.save_file(f"video_jobs/{EVENT_JOB_ID}.mp4", TINY, "video/mp4")
    job = running_job(services, NOW)
    services.storage.delete_file(stored.key)
    stored = services.storage.save_file(f"video_jobs/{EVENT_JOB_ID}.mp4", TINY, "video/mp4")
    change = transitions.fail_running(job, code="pipeline_failed", message="m", keep=KEEP, now=NOW)
    change = replace(change, changes={**change.changes, "input_version": stored.version, "failures": 3})
    return services.jobs.update_status(job.job_id, change)


# --- list --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 3, 20])
def test_pages_give_every_job_once_newest_first(services: AwsServices, limit: int) -> None:
    ids = many_jobs(services, 7)
    many_jobs_of_others = f"{99:08x}-5f0e-4c57-9d3b-6a1f2f4a7c11"
    saved_job(services, job_id=many_jobs_of_others, owner="ann")
    seen: list[str] = []
    query = {"limit": str(limit)}
    for _ in range(10):
        _, body = call(asked("list_jobs", query))
        assert len(body["jobs"]) <= limit
        seen += [job["job_id"] for job in body["jobs"]]
        if body["next_cursor"] is None:
            break
        query["cursor"] = body["next_cursor"]
    assert seen == ids


def test_a_filter_leaves_out_the_others(services: AwsServices) -> None:
    ids = many_jobs(services, 7)
    expected = [job_id for job_id in ids if int(job_id[:8], 16) % 3 == 0]
    _, body = call(asked("list_jobs", {"pipeline_id": "ocr_only", "limit": "2"}))
    assert [job["job_id"] for job in body["jobs"]] == expected[:2]
    query = {"pipeline_id": "ocr_only", "limit": "2", "cursor": body["next_cursor"]}
    assert [job["job_id"] for job in call(asked("list_jobs", query))[1]["jobs"]] == expected[2:]
    assert call(asked("list_jobs", {"status": "running"}))[1] == {"jobs": [], "next_cursor": None}


def test_a_filtered_page_reads_a_bounded_number_of_jobs(
    services: AwsServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    many_jobs(services, 5)
    monkeypatch.setattr("video_jobs.services.list_jobs.JOBS_A_READ", 2)
    _, body = call(asked("list_jobs", {"status": "running"}))
    assert body["jobs"] == []
    assert body["next_cursor"]


def test_a_cursor_is_for_its_owner_and_its_filter(services: AwsServices) -> None:
    many_jobs(services, 3)
    cursor = call(asked("list_jobs", {"limit": "1"}))[1]["next_cursor"]
    tampered = cursor[:-2] + ("A" if cursor[-2] != "A" else "B") + cursor[-1]
    for event in (
        asked("list_jobs", {"cursor": cursor}, owner="ann"),
        asked("list_jobs", {"cursor": cursor, "status": "failed"}),
        asked("list_jobs", {"cursor": tampered}),
        asked("list_jobs", {"cursor": "ä"}),
        asked("list_jobs", {"cursor": "x" * 5000}),
    ):
        status, body = call(event)
        assert (status, body["code"]) == (400, "invalid_cursor")


@pytest.mark.parametrize(
    "query",
    [{"limit": "0"}, {"limit": "101"}, {"limit": "1,2"}, {"limit": "x"}, {"status": "done"}, {"page": "2"}],
)
def test_a_query_that_is_none_is_refused(services: AwsServices, query: dict[str, str]) -> None:
    status, body = call(asked("list_jobs", query))
    assert (status, body["code"]) == (400, "invalid_request")
    assert next(iter(query)) in body["detail"]


# --- cancel ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["awaiting", "queued", "running"])
def test_cancel_ends_an_open_job_and_stops_its_worker(services: AwsServices, state: str) -> None:
    job = saved_job(services) if state == "awaiting" else queued_job(services)
    if state == "running":
        claim = transitions.claim(job, worker_id="w", lease=LEASE, now=NOW)
        job = services.jobs.update_status(job.job_id, claim)
    for _ in range(2):  # again changes nothing
        status, body = call("cancel_job")
        assert (status, body["status"], body["error"]["code"]) == (200, "failed", "cancelled")
    beat = transitions.heartbeat(job, lease=LEASE, frames_done=1, frames_total=2, now=NOW)
    with pytest.raises(ConflictError):
        services.jobs.update_status(job.job_id, beat)


def test_an_ended_job_is_not_cancelled(services: AwsServices, tmp_path: Path) -> None:
    completed_job(services, tmp_path, frames=1)
    status, body = call("cancel_job")
    assert (status, body["code"]) == (409, "job_state")
    assert call("job")[1]["status"] == "completed"


def test_cancel_looks_again_where_a_worker_was_faster(
    services: AwsServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen_before = queued_job(services)
    claim = transitions.claim(seen_before, worker_id="w", lease=LEASE, now=NOW)
    services.jobs.update_status(seen_before.job_id, claim)
    read = services.jobs.get_by_id
    answers = iter([seen_before])
    monkeypatch.setattr(services.jobs, "get_by_id", lambda job_id: next(answers, None) or read(job_id))
    assert call("cancel_job")[1]["status"] == "failed"


# --- retry -------------------------------------------------------------------------------------------


def test_retry_sends_a_failed_job_once_more(services: AwsServices) -> None:
    before = failed_job(services)
    status, body = call("retry_job")
    assert (status, body["status"], body["error"]) == (200, "pending", None)
    job = services.jobs.get_by_id(EVENT_JOB_ID)
    assert job is not None
    assert (job.generation, job.failures, job.expires_at) == (before.generation + 1, 0, None)
    message = services.queue.dequeue()
    assert message is not None
    assert (message.body, message.generation) == (EVENT_JOB_ID, job.generation)
    assert call("results")[1]["code"] == "job_not_completed"


def test_retry_needs_a_failed_job(services: AwsServices, tmp_path: Path) -> None:
    completed_job(services, tmp_path, frames=1)
    status, body = call("retry_job")
    assert (status, body["code"]) == (409, "job_state")


def test_retry_needs_the_video(services: AwsServices) -> None:
    job = failed_job(services)
    services.jobs.delete(job.job_id, transitions.Expected(status=JobStatus.FAILED))
    services.jobs.save(replace(job, input_version="gone"))
    status, body = call("retry_job")
    assert (status, body["code"]) == (409, "job_state")
    assert "submit it again" in body["detail"]
    services.jobs.delete(job.job_id, transitions.Expected(status=JobStatus.FAILED))
    services.jobs.save(replace(job, upload_state=UploadState.AWAITING))
    assert call("retry_job")[0] == 409


# --- delete ------------------------------------------------------------------------------------------


def test_delete_takes_everything_with_it(services: AwsServices, tmp_path: Path) -> None:
    job = completed_job(services, tmp_path, frames=1)
    keys = [job.input_path, part_key(job.job_id, "f", 0), results_key(job.job_id)]
    for key in keys:
        services.storage.save_file(key, TINY, "video/mp4")
    assert answer_of(load_event("delete_job"))["statusCode"] == 204
    assert services.jobs.get_by_id(job.job_id) is None
    assert [services.storage.find_file(key) for key in [*keys, results_index_key(job.job_id)]] == [None] * 4
    assert call("delete_job")[0] == 404


def test_a_running_job_is_not_deleted(services: AwsServices) -> None:
    job = running_job(services, NOW)
    status, body = call("delete_job")
    assert (status, body["code"]) == (409, "job_state")
    assert services.jobs.get_by_id(job.job_id) == job


def test_a_pending_job_is_deleted_and_its_message_finds_nothing(services: AwsServices) -> None:
    job = queued_job(services)
    assert answer_of(load_event("delete_job"))["statusCode"] == 204
    assert services.jobs.get_by_id(job.job_id) is None


def test_a_job_that_is_retried_meanwhile_stays(
    services: AwsServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = failed_job(services)
    services.jobs.update_status(job.job_id, transitions.retry(job, now=NOW))
    read, answers = services.jobs.get_by_id, iter([job])
    monkeypatch.setattr(services.jobs, "get_by_id", lambda job_id: next(answers, None) or read(job_id))
    status, body = call("delete_job")
    assert (status, body["code"]) == (409, "job_state")
    assert services.jobs.get_by_id(job.job_id) is not None


# --- all of them -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OWNED)
def test_another_owners_job_is_not_found(services: AwsServices, name: str) -> None:
    job = queued_job(services)
    status, body = call(asked(name, owner="ann"))
    assert (status, body["code"]) == (404, "job_not_found")
    assert services.jobs.get_by_id(EVENT_JOB_ID) == job


@pytest.mark.parametrize("name", [*OWNED, "list_jobs", "pipelines", "submit_json", "submit_video"])
def test_without_claims_nobody_gets_anything(services: AwsServices, name: str) -> None:
    event = load_event(name)
    del event["requestContext"]["authorizer"]
    assert call(event)[0] == 401


def test_health_and_pipelines(services: AwsServices) -> None:
    event = load_event("health")
    del event["requestContext"]["authorizer"]
    assert call(event) == (200, {"status": "ok"})
    pipelines = call("pipelines")[1]["pipelines"]
    assert [one["pipeline_id"] for one in pipelines if one["is_default"]] == ["yolo_ocr"]
    assert all(one["description"] for one in pipelines)


@pytest.mark.parametrize(("name", "hint"), [("status", True), ("job", True)])
def test_an_open_job_says_when_to_ask_again(services: AwsServices, name: str, hint: bool) -> None:
    queued_job(services)
    assert ("Retry-After" in answer_of(load_event(name))["headers"]) is hint
    call("cancel_job")
    assert "Retry-After" not in answer_of(load_event(name))["headers"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/video/submit", "POST"),
        ("HEAD", "/video/jobs", "GET"),
        ("OPTIONS", f"/video/jobs/{EVENT_JOB_ID}", "DELETE, GET"),
        ("GET", f"/video/jobs/{EVENT_JOB_ID}/cancel", "POST"),
    ],
)
def test_a_wrong_method_is_told_the_right_one(
    services: AwsServices, method: str, path: str, allowed: str
) -> None:
    event = asked("status") | {"rawPath": path}
    event["requestContext"]["http"] |= {"method": method, "path": path}
    answer = answer_of(event)
    assert (answer["statusCode"], answer["headers"]["Allow"]) == (405, allowed)
    assert json.loads(answer["body"])["code"] == "method_not_allowed"


@pytest.mark.parametrize("part", ["%2e%2e%2fetc", "x" * 8000, "ä", "a%00b", EVENT_JOB_ID.upper(), "1 2"])
def test_a_strange_job_id_is_not_found(services: AwsServices, part: str) -> None:
    for path in (f"/video/status/{part}", f"/video/jobs/{part}", f"/video/results/{part}"):
        event = asked("status") | {"rawPath": path, "pathParameters": {"job_id": part}}
        event["requestContext"]["http"] |= {"path": path}
        assert call(event)[0] == 404


@pytest.mark.parametrize(
    "body", [None, "", "{", "[]", "null", '"x"', "\ud800", "{}", '{"size_bytes": "9e9"}']
)
def test_a_body_that_is_no_request_is_refused(services: AwsServices, body: str | None) -> None:
    status, problem = call(load_event("submit_json") | {"body": body, "isBase64Encoded": False})
    assert (status, problem["code"]) == (400, "invalid_request")
