"""List, read, cancel, retry and delete jobs over HTTP events."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from video_jobs.application import VideoJobs
from video_jobs.domain import changes
from video_jobs.domain.cursor import encode_cursor
from video_jobs.domain.errors import ConflictError
from video_jobs.domain.job import Job, JobOptions, JobStatus, Progress, Upload
from video_jobs.domain.keys import output_keys, part_key
from video_jobs.domain.usage import Usage
from video_jobs.domain.video import JobWarning, WarningCode

from functions.video_api import answer_models
from tests.contract.jobs import VIDEO
from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.integration.conftest import EVENT_JOB_ID, answer_of, asked, call, load_event, refusal
from tests.integration.job_states import (
    ACCEPTED,
    AWAITED,
    LEASE,
    NOW,
    completed_job,
    failed_job,
    queued_job,
    running_job,
    saved_job,
    stored_job,
)

OWNED = ["status", "job", "video", "results", "cancel_job", "retry_job", "delete_job"]


def many_jobs(app: VideoJobs, count: int, owner: str = "local") -> list[str]:
    """Ids, newest first; every third is of another pipeline."""
    ids = [f"{number:08x}-5f0e-4c57-9d3b-6a1f2f4a7c11" for number in range(count)]
    for number, job_id in enumerate(ids):
        options = JobOptions(pipeline_id="ocr_only" if number % 3 == 0 else "yolo_ocr")
        made = NOW + timedelta(minutes=number // 2)  # two jobs of one moment
        saved_job(app, job_id=job_id, owner=owner, created_at=made, options=options)
    return ids[::-1]


# --- list --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 3, 20])
def test_pages_give_every_job_once_newest_first(app: VideoJobs, limit: int) -> None:
    ids = many_jobs(app, 7)
    saved_job(app, job_id=f"{99:08x}-5f0e-4c57-9d3b-6a1f2f4a7c11", owner="ann")
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


def test_a_filter_leaves_out_the_others(app: VideoJobs) -> None:
    ids = many_jobs(app, 7)
    expected = [job_id for job_id in ids if int(job_id[:8], 16) % 3 == 0]
    _, body = call(asked("list_jobs", {"pipeline_id": "ocr_only", "limit": "2"}))
    assert [job["job_id"] for job in body["jobs"]] == expected[:2]
    query = {"pipeline_id": "ocr_only", "limit": "2", "cursor": body["next_cursor"]}
    assert [job["job_id"] for job in call(asked("list_jobs", query))[1]["jobs"]] == expected[2:]
    assert call(asked("list_jobs", {"status": "running"}))[1] == {"jobs": [], "next_cursor": None}


def test_a_filtered_page_reads_a_bounded_number_of_jobs(
    app: VideoJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    many_jobs(app, 5)
    monkeypatch.setattr("video_jobs.use_cases.owner.JOBS_A_READ", 2)
    _, body = call(asked("list_jobs", {"status": "running"}))
    assert body["jobs"] == []
    assert body["next_cursor"]


def test_a_cursor_is_for_its_owner_and_its_filter(app: VideoJobs) -> None:
    many_jobs(app, 3)
    cursor = call(asked("list_jobs", {"limit": "1"}))[1]["next_cursor"]
    tampered = cursor[:-2] + ("A" if cursor[-2] != "A" else "B") + cursor[-1]
    for event in (
        asked("list_jobs", {"cursor": cursor}, owner="ann"),
        asked("list_jobs", {"cursor": cursor, "status": "failed"}),
        asked("list_jobs", {"cursor": tampered}),
        asked("list_jobs", {"cursor": "ä"}),
        asked("list_jobs", {"cursor": "x" * 5000}),
    ):
        assert refusal(event) == (400, "invalid_cursor")


@pytest.mark.parametrize(
    "position",
    ["abc", "-5", "", "2026-03-01T00:00:00.000000Z", "2026-03-01T00:00:00.000000Z x", "é"]
    + [f"{moment} {EVENT_JOB_ID}" for moment in ("0001-01-01T00:00:00+23:59", "2026-03-01", "now")],
)
def test_a_forged_cursor_is_refused(app: VideoJobs, position: str) -> None:
    for cursor in (position or "=", encode_cursor(position, "local", None, None)):
        assert refusal(asked("list_jobs", {"cursor": cursor})) == (400, "invalid_cursor")


def test_a_query_that_is_none_is_refused(app: VideoJobs) -> None:
    limits = [{"limit": limit} for limit in ("0", "101", "1,2", "x")]
    for query in (*limits, {"status": "done"}, {"page": "2"}):
        status, body = call(asked("list_jobs", query))
        assert (status, body["code"]) == (400, "invalid_request")
        assert next(iter(query)) in body["detail"]


# --- read --------------------------------------------------------------------------------------------


def test_a_job_tells_of_its_video_once_a_worker_has_opened_it(app: VideoJobs) -> None:
    job = running_job(app)
    assert call("job")[1]["video"] is None
    opening = changes.record_opening(
        job, fingerprint={"id": "f"}, video=VIDEO, progress=Progress(0, 40), now=NOW
    )
    app.ports.jobs.update_status(opening)
    _, body = call("job")
    assert body["video"] == {
        "container": "mov",
        "codec": "h264",
        "width": 1080,
        "height": 1920,
        "frame_count": 40,
        "duration_ms": 1334.667,
        "average_frame_rate": 29.97,
        "first_picture_ms": 66.733,
        "rotation": 90,
        "mirrored": True,
        "interlaced": True,
        "variable_frame_rate": True,
        "hdr": "hlg",
    }
    assert answer_models.Job.model_validate(body, strict=True)
    assert body["fingerprint"] == {"id": "f"}


def test_warnings_are_sentences_and_their_details_have_codes(app: VideoJobs) -> None:
    warnings = (JobWarning(WarningCode.PICTURES_LOST, "3 pictures"), JobWarning("other", "short"))
    saved_job(app, warnings=warnings)
    _, body = call("job")
    assert body["warnings"] == ["3 pictures", "short"]
    assert body["warning_details"] == [
        {"code": "pictures_lost", "message": "3 pictures"},
        {"code": "other", "message": "short"},
    ]


USAGE = Usage(compute_ms=90_250, frames=40, bytes=7_000_000_000, cost_usd=Decimal("0.013187"))


def test_an_ended_job_tells_what_it_used(app: VideoJobs) -> None:
    failed_job(app, usage=USAGE)
    usage = call("job")[1]["usage"]
    assert usage == {"compute_seconds": 90.25, "frames": 40, "bytes": 7_000_000_000, "cost_usd": 0.013187}
    answer_models.Job.model_validate(call("job")[1])


def test_a_price_that_nobody_knows_hides_only_the_cost(app: VideoJobs) -> None:
    failed_job(app, usage=replace(USAGE, cost_usd=None))
    assert call("job")[1]["usage"] == {
        "compute_seconds": 90.25,
        "frames": 40,
        "bytes": 7_000_000_000,
        "cost_usd": None,
    }


def test_an_ended_job_of_before_tells_no_usage(app: VideoJobs) -> None:
    failed_job(app)
    assert call("job")[1]["usage"] is None


@pytest.mark.parametrize("status", [JobStatus.PENDING, JobStatus.RUNNING])
def test_a_job_that_goes_on_tells_no_usage(app: VideoJobs, status: JobStatus) -> None:
    saved_job(app, status=status, usage=USAGE)
    assert call("job")[1]["usage"] is None


def test_the_status_of_a_job_keeps_its_form(app: VideoJobs) -> None:
    saved_job(app, video=VIDEO, warnings=(JobWarning("other", "short"),))
    fields = {"job_id", "status", "progress", "created_at", "updated_at", "error_message"}
    assert call("status")[1].keys() == fields


# --- cancel ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["awaiting", "queued", "running"])
def test_cancel_ends_an_open_job_and_stops_its_worker(app: VideoJobs, state: str) -> None:
    job = {"awaiting": saved_job, "queued": queued_job, "running": running_job}[state](app)
    for _ in range(2):  # again changes nothing
        status, body = call("cancel_job")
        assert (status, body["status"], body["error"]["code"]) == (200, "failed", "cancelled")
    with pytest.raises(ConflictError):
        app.ports.jobs.update_status(changes.heartbeat(job, lease=LEASE, progress=Progress(1, 2), now=NOW))


def test_a_completed_job_is_neither_cancelled_nor_tried_again(app: VideoJobs, tmp_path: Path) -> None:
    completed_job(app, tmp_path, frames=1)
    assert refusal("cancel_job") == refusal("retry_job") == (409, "job_state")
    assert call("job")[1]["status"] == "completed"


def let_first_read_be(job: Job, app: VideoJobs, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the table holds is newer than what the first read gives."""
    read, answers = app.ports.jobs.get_by_id, iter([job])
    monkeypatch.setattr(app.ports.jobs, "get_by_id", lambda job_id: next(answers, None) or read(job_id))


def test_cancel_looks_again_where_a_worker_was_faster(
    app: VideoJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_first_read_be(queued_job(app), app, monkeypatch)
    app.ports.jobs.update_status(changes.claim(stored_job(app), worker_id="w", lease=LEASE, now=NOW))
    assert call("cancel_job")[1]["status"] == "failed"


# --- retry -------------------------------------------------------------------------------------------


def test_retry_sends_a_failed_job_once_more(app: VideoJobs) -> None:
    before = failed_job(app)
    status, body = call("retry_job")
    assert (status, body["status"], body["error"]) == (200, "pending", None)
    job = stored_job(app)
    assert (job.generation, job.failures, job.expires_at) == (before.generation + 1, 0, None)
    message = app.ports.queue.dequeue()
    assert message is not None
    assert (message.body, message.generation) == (EVENT_JOB_ID, job.generation)
    assert refusal("results") == (404, "job_not_completed")


@pytest.mark.parametrize("upload", [replace(ACCEPTED, version="gone"), AWAITED], ids=["gone", "awaited"])
def test_retry_needs_the_video(app: VideoJobs, upload: Upload) -> None:
    failed_job(app, upload=upload)
    status, body = call("retry_job")
    assert (status, body["code"]) == (409, "job_state")
    assert "submit it again" in body["detail"]


# --- delete ------------------------------------------------------------------------------------------


def test_delete_takes_everything_with_it(services: VideoJobs, tmp_path: Path) -> None:
    job, storage = completed_job(services, tmp_path, frames=1), services.ports.storage
    for key in (job.upload.key, part_key(job.job_id, "f", 0)):
        storage.save_file(key, TINY, "video/mp4")
    assert len(list(storage.list_keys("video_jobs/"))) == 6
    assert answer_of(load_event("delete_job"))["statusCode"] == 204
    assert services.ports.jobs.get_by_id(job.job_id) is None
    assert list(storage.list_keys("")) == []
    assert call("delete_job")[0] == 404


def test_delete_takes_files_that_a_worker_stored_before_it_died(services: VideoJobs) -> None:
    job, storage = failed_job(services), services.ports.storage
    for key in output_keys(job.job_id):
        storage.save_file(key, TINY, "x/y")
    assert answer_of(load_event("delete_job"))["statusCode"] == 204
    assert list(storage.list_keys("")) == []


def test_a_job_is_deleted_while_it_waits_but_not_while_it_runs(app: VideoJobs) -> None:
    job = running_job(app)
    assert refusal("delete_job") == (409, "job_state")
    assert stored_job(app) == job
    app.ports.jobs.update_status(changes.give_back(job, count_failure=False, now=NOW))
    assert answer_of(load_event("delete_job"))["statusCode"] == 204
    assert app.ports.jobs.get_by_id(job.job_id) is None


def test_a_job_that_is_retried_meanwhile_stays(app: VideoJobs, monkeypatch: pytest.MonkeyPatch) -> None:
    job = failed_job(app)
    app.ports.jobs.update_status(changes.retry(job, now=NOW))
    let_first_read_be(job, app, monkeypatch)
    assert refusal("delete_job") == (409, "job_state")
    assert app.ports.jobs.get_by_id(job.job_id) is not None


# --- all of them -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OWNED)
def test_another_owners_job_is_not_found(app: VideoJobs, name: str) -> None:
    job = queued_job(app)
    assert refusal(asked(name, owner="ann")) == (404, "job_not_found")
    assert app.ports.jobs.get_by_id(EVENT_JOB_ID) == job


@pytest.mark.parametrize("name", [*OWNED, "list_jobs", "pipelines", "submit_json", "submit_video"])
def test_without_claims_nobody_gets_anything(app: VideoJobs, name: str) -> None:
    event = load_event(name)
    del event["requestContext"]["authorizer"]
    assert call(event)[0] == 401


def test_health_and_pipelines(app: VideoJobs) -> None:
    event = load_event("health")
    del event["requestContext"]["authorizer"]
    assert call(event) == (200, {"status": "ok"})
    pipelines = call("pipelines")[1]["pipelines"]
    assert [one["pipeline_id"] for one in pipelines if one["is_default"]] == ["yolo_ocr"]
    assert all(one["description"] for one in pipelines)


@pytest.mark.parametrize("name", ["status", "job", "list_jobs"])
def test_an_open_job_says_when_to_ask_again(app: VideoJobs, name: str) -> None:
    queued_job(app)
    assert "Retry-After" in answer_of(load_event(name))["headers"]
    call("cancel_job")
    assert "Retry-After" not in answer_of(load_event(name))["headers"]


def test_a_wrong_method_is_told_the_right_one(app: VideoJobs) -> None:
    for method, path, allowed in (
        ("PUT", "/video/submit", "POST"),
        ("HEAD", "/video/jobs", "GET"),
        ("PATCH", f"/video/jobs/{EVENT_JOB_ID}", "DELETE, GET"),
        ("GET", f"/video/jobs/{EVENT_JOB_ID}/cancel", "POST"),
    ):
        event = asked("status") | {"rawPath": path}
        event["requestContext"]["http"] |= {"method": method, "path": path}
        answer = answer_of(event)
        assert (answer["statusCode"], answer["headers"]["Allow"]) == (405, allowed)
        assert json.loads(answer["body"])["code"] == "method_not_allowed"


def test_a_preflight_is_answered_on_every_path(app: VideoJobs) -> None:
    for path in ("/video/submit", f"/video/jobs/{EVENT_JOB_ID}", "/no/such/path"):
        event = asked("health") | {"rawPath": path}
        event["requestContext"]["http"] |= {"method": "OPTIONS", "path": path}
        del event["requestContext"]["authorizer"]
        assert answer_of(event)["statusCode"] == 204
    # AND a path that does not exist does not exist because of that
    event["requestContext"]["http"] |= {"method": "GET"}
    assert answer_of(event)["statusCode"] == 404


def test_a_strange_job_id_is_not_found(app: VideoJobs) -> None:
    for job_id in ("abc", "%2e%2e%2fetc", "x" * 8000, "ä", "a%00b", EVENT_JOB_ID.upper(), "1 2"):
        for resource in ("status", "jobs", "results"):
            path = f"/video/{resource}/{job_id}"
            event = asked("status") | {"rawPath": path, "pathParameters": {"job_id": job_id}}
            event["requestContext"]["http"] |= {"path": path}
            assert call(event)[0] == 404
