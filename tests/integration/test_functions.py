"""Submit, status and results over HTTP events; the table that is behind them."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from video_jobs.application import VideoJobs
from video_jobs.domain.job import JobStatus, Progress

from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.integration.conftest import EVENT_JOB_ID, asked, assert_refused, call, load_event, refusal
from tests.integration.job_states import completed_job, running_job, saved_job, stored_job
from tests.support.aws import Resources

# --- submit ------------------------------------------------------------------------------------------


def test_submit_video_stores_the_item_and_the_object(app: VideoJobs) -> None:
    status, body = call("submit_video")
    assert (status, list(body)) == (201, ["job_id"])
    job = stored_job(app, body["job_id"])
    assert (job.owner, job.status, job.options.frame_stride, job.generation) == ("local", "pending", 5, 0)
    stored = app.ports.storage.find_file(job.upload.key)
    assert stored is not None
    assert stored.size_bytes == len(base64.b64decode(load_event("submit_video")["body"]))
    assert app.ports.queue.size() == 0


def test_submit_video_takes_a_form_too(app: VideoJobs) -> None:
    form = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n'
        b"Content-Type: video/mp4\r\n\r\n" + TINY.read_bytes() + b"\r\n--b--\r\n"
    )
    event = load_event("submit_video")
    event["headers"]["content-type"] = "multipart/form-data; boundary=b"
    event["body"] = base64.b64encode(form).decode()
    status, body = call(event)
    assert status == 201
    job = stored_job(app, body["job_id"])
    video = TINY.read_bytes()
    assert app.ports.storage.read_range(job.upload.key, 0, len(video) + 1) == video


def test_submit_json_keeps_the_options(app: VideoJobs) -> None:
    status, body = call("submit_json")
    assert status == 201
    options = stored_job(app, body["job_id"]).options
    assert (options.frame_stride, options.max_frames, options.filename) == (5, 100, "street.mp4")


TEXT = load_event("submit_json") | {"headers": {"content-type": "text/plain"}}
TOO_LARGE = base64.b64encode(TINY.read_bytes() + b"\0" * (4 * 2**20)).decode()


@pytest.mark.parametrize(
    ("event", "status", "code", "word"),
    [
        (load_event("submit_video_not_mp4"), 400, "invalid_mp4", "Invalid MP4 file"),
        (load_event("submit_json_bad_stride"), 400, "invalid_request", "frame_stride"),
        *(
            (asked("submit_video", {name: value}), 400, code, word)
            for name, value, code, word in (
                ("frame_stride", "0", "invalid_request", "frame_stride"),
                ("frame_stride", "-1", "invalid_request", "frame_stride"),
                ("frame_stride", "x", "invalid_request", "frame_stride"),
                ("max_frames", "0", "invalid_request", "max_frames"),
                ("pipeline_id", "nope", "unknown_pipeline", "yolo_ocr"),
                ("frames", "1", "invalid_request", "frames"),
            )
        ),
        *(
            (load_event("submit_json") | {"body": body, "isBase64Encoded": False}, 400, "invalid_request", "")
            for body in (None, "", "{", "[]", "null", '"x"', "\ud800", "{}", '{"size_bytes": "9e9"}')
        ),
        *(
            (load_event("submit_json") | {"body": body}, 400, "invalid_request", "")
            for body in ('{"size_bytes": 0}', '{"size_bytes": 5, "color": 1}')
        ),
        (
            load_event("submit_json") | {"headers": {"content-type": "text/plain"}},
            415,
            "unsupported_media_type",
            "",
        ),
        (load_event("submit_video") | {"body": TOO_LARGE}, 413, "video_too_large", "Submit JSON"),
        (load_event("submit_video") | {"body": None, "isBase64Encoded": False}, 400, "invalid_mp4", ""),
    ],
)
def test_a_wrong_submit_is_told_what_is_wrong_and_makes_no_job(
    app: VideoJobs, event: dict[str, Any], status: int, code: str, word: str
) -> None:
    assert_refused(app, event, code, word, status)


# --- status and results ------------------------------------------------------------------------------


def test_status_has_just_the_documented_fields(app: VideoJobs) -> None:
    running_job(app)
    status, body = call("status")
    assert status == 200
    assert body == {
        "job_id": EVENT_JOB_ID,
        "status": "running",
        "progress": 0.5,
        "created_at": "2026-03-01T00:00:00.000000Z",
        "updated_at": "2026-03-01T00:00:00.000000Z",
        "error_message": None,
    }


def test_the_job_resource_tells_the_frames(app: VideoJobs) -> None:
    saved_job(app, status=JobStatus.RUNNING, progress=Progress(1, 3))
    _, body = call("job")
    assert (body["frames_done"], body["frames_total"], body["percent"], body["helpers"]) == (1, 3, 33, 0)


@pytest.mark.parametrize(
    ("status", "shown"), [(JobStatus.RUNNING, 2), (JobStatus.PENDING, 0), (JobStatus.FAILED, 0)]
)
def test_helpers_are_shown_while_the_job_runs(app: VideoJobs, status: JobStatus, shown: int) -> None:
    saved_job(app, status=status, progress=Progress(1, 3, helpers=2))
    assert call("job")[1]["helpers"] == shown


def test_a_path_without_a_route(app: VideoJobs) -> None:
    assert refusal(load_event("status") | {"rawPath": "/nothing"}) == (404, "route_not_found")


def test_results_before_the_end(app: VideoJobs) -> None:
    running_job(app)
    status, body = call("results")
    assert (status, body["detail"]) == (404, "Job not completed")


def test_results_are_the_list_itself(app: VideoJobs, tmp_path: Path) -> None:
    completed_job(app, tmp_path, frames=3)
    status, body = call("results")
    assert status == 200
    around = {"job_id", "timestamps_ms", "created_at", "updated_at", "next_cursor", "results_url"}
    assert body.keys() == {"results", "summary_url", "tracks_url"} | around
    assert body["results"][2] == {"frame_index": 2, "result": {"text": "é2"}}


def test_a_fault_of_ours_tells_no_internals(
    app: VideoJobs, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(app.ports.jobs, "get_by_id", lambda _: 1 / 0)
    status, body = call("status")
    assert (status, body["code"]) == (500, "internal_error")
    assert "division" not in json.dumps(body)
    assert "ZeroDivisionError" in caplog.text


# --- the template and the model ----------------------------------------------------------------------


def shape_of_table(name: str) -> Any:
    table = boto3.client("dynamodb", region_name="us-east-1").describe_table(TableName=name)["Table"]
    indexes = {
        index["IndexName"]: (index["KeySchema"], index["Projection"]["ProjectionType"])
        for index in table.get("GlobalSecondaryIndexes", [])
    }
    kinds = {entry["AttributeName"]: entry["AttributeType"] for entry in table["AttributeDefinitions"]}
    return table["KeySchema"], indexes, kinds, table["BillingModeSummary"]["BillingMode"]


def test_the_template_defines_the_table_that_the_model_describes(resources: Resources) -> None:
    from video_jobs.adapters.aws.job_item import job_item_model

    job_item_model("other", "us-east-1").create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    assert shape_of_table(resources.id("JobsTable")) == shape_of_table("other")
    ttl = resources.template.resources["JobsTable"]["Properties"]["TimeToLiveSpecification"]
    assert ttl["AttributeName"] == "expires_at"


def test_the_template_defines_the_second_table_as_its_model_does_and_without_changes_to_follow(
    resources: Resources,
) -> None:
    from video_jobs.adapters.aws.fleet_item import FleetItem
    from video_jobs.adapters.aws.state_item import bound_model

    bound_model(FleetItem, "other", "us-east-1").create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    assert shape_of_table(resources.id("StateTable")) == shape_of_table("other")
    properties = resources.template.resources["StateTable"]["Properties"]
    assert properties["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert "StreamSpecification" not in properties
