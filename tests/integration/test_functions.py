"""Every function answers the sample events in events/."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import boto3
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from video_jobs.application import VideoJobs
from video_jobs.domain.changes import Expected
from video_jobs.domain.job import JobStatus, Progress

from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.integration.conftest import EVENT_JOB_ID, EVENTS, asked, call, load_event, refusal
from tests.integration.job_states import VIDEO, completed_job, running_job, saved_job, stored_job
from tests.support.aws import Resources
from tests.support.sample_events import NAMES, SAMPLES, function_of, outcome_of, prepared_event
from tools.local_stack.template import Template

# --- all of them on AWS ------------------------------------------------------------------------------


def outcome_on_aws(name: str, app: VideoJobs, folder: Path, context: LambdaContext) -> Any:
    """What an event comes to where only what it needs is there."""
    for job in app.ports.jobs.list_by_owner("local", 10):
        app.ports.jobs.delete(job.job_id, Expected(status=job.status))
    app.ports.storage.delete_file(VIDEO)
    event = prepared_event(name, app, folder)
    module, _, handler = Template().handler(function_of(name)).rpartition(".")
    return outcome_of(event, getattr(import_module(module), handler)(event, context), context.aws_request_id)


def test_every_sample_event_is_answered_on_aws(
    services: VideoJobs, context: LambdaContext, tmp_path: Path
) -> None:
    outcomes = {name: outcome_on_aws(name, services, tmp_path, context) for name in NAMES}
    assert outcomes == {name: SAMPLES[name].outcome for name in NAMES}


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


def test_submit_json_answers_a_signed_upload(services: VideoJobs) -> None:
    status, body = call("submit_json")
    assert status == 201
    upload = body["upload"]
    assert upload["fields"]["key"] == f"video_jobs/{body['job_id']}.mp4"
    assert upload["fields"]["x-amz-algorithm"] == "AWS4-HMAC-SHA256"
    assert upload["max_bytes"] == 1048576
    options = stored_job(services, body["job_id"]).options
    assert (options.frame_stride, options.max_frames, options.filename) == (5, 100, "street.mp4")


def test_submit_video_that_is_no_mp4(app: VideoJobs) -> None:
    status, body = call("submit_video_not_mp4")
    assert (status, body["code"]) == (400, "invalid_mp4")
    assert body["detail"].startswith("Invalid MP4 file")
    assert app.ports.jobs.list_by_owner("local", 10) == []


def test_submit_json_with_a_bad_stride(app: VideoJobs) -> None:
    status, body = call("submit_json_bad_stride")
    assert (status, body["code"]) == (400, "invalid_request")
    assert "frame_stride" in body["detail"]


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ({"frame_stride": "0"}, "frame_stride"),
        ({"frame_stride": "-1"}, "frame_stride"),
        ({"frame_stride": "x"}, "frame_stride"),
        ({"max_frames": "0"}, "max_frames"),
        ({"pipeline_id": "nope"}, "yolo_ocr"),
        ({"frames": "1"}, "frames"),
    ],
)
def test_submit_video_with_bad_parameters(app: VideoJobs, query: dict[str, str], word: str) -> None:
    status, body = call(asked("submit_video", query))
    assert status == 400
    assert word in body["detail"]
    assert app.ports.jobs.list_by_owner("local", 10) == []


@pytest.mark.parametrize("body", ["{", "[]", '{"size_bytes": 0}', '{"size_bytes": 5, "color": 1}', "{}"])
def test_submit_json_that_is_wrong(app: VideoJobs, body: str) -> None:
    assert refusal(load_event("submit_json") | {"body": body}) == (400, "invalid_request")


def test_submit_of_another_type(app: VideoJobs) -> None:
    event = load_event("submit_json")
    event["headers"]["content-type"] = "text/plain"
    assert call(event)[0] == 415


def test_submit_video_that_is_too_large_says_what_to_do(app: VideoJobs) -> None:
    event = load_event("submit_video")
    event["body"] = base64.b64encode(TINY.read_bytes() + b"\0" * (4 * 2**20)).decode()
    status, body = call(event)
    assert status == 413
    assert "Submit JSON" in body["detail"]


def test_submit_without_a_body(app: VideoJobs) -> None:
    event = load_event("submit_video") | {"body": None, "isBase64Encoded": False}
    assert refusal(event) == (400, "invalid_mp4")


def test_a_request_past_the_authorizer_is_refused(app: VideoJobs) -> None:
    event = load_event("submit_video")
    del event["requestContext"]["authorizer"]
    assert call(event)[0] == 401


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


@pytest.mark.parametrize("name", ["status_unknown_job", "job_unknown_job", "results_unknown_job"])
def test_an_unknown_job_is_not_found(app: VideoJobs, name: str) -> None:
    status, body = call(name)
    assert (status, body["detail"]) == (404, "Job not found")


@pytest.mark.parametrize("name", ["status", "job", "results"])
def test_another_owners_job_is_not_found(app: VideoJobs, name: str) -> None:
    saved_job(app, owner="somebody else")
    assert call(name)[1]["detail"] == "Job not found"


@pytest.mark.parametrize("name", ["status", "job", "results"])
def test_a_job_id_that_is_no_uuid_is_not_found(app: VideoJobs, name: str) -> None:
    event = load_event(name)
    event["rawPath"] = event["rawPath"].replace(EVENT_JOB_ID, "abc")
    event["pathParameters"] = {"job_id": "abc"}
    assert call(event)[0] == 404


def test_the_job_resource_tells_the_frames(app: VideoJobs) -> None:
    saved_job(app, status=JobStatus.RUNNING, progress=Progress(1, 3))
    _, body = call("job")
    assert (body["frames_done"], body["frames_total"], body["percent"]) == (1, 3, 33)


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
    assert sorted(body) == ["created_at", "job_id", "next_cursor", "results", "results_url", "updated_at"]
    assert body["results"][2] == {"frame_index": 2, "result": {"text": "é2"}}


def test_large_results_come_in_pages(
    services: VideoJobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # GIVEN results of many times the size of an answer
    monkeypatch.setattr(services, "rules", replace(services.rules, max_answer_bytes=1000))
    completed_job(services, tmp_path, frames=200)
    # WHEN a client follows the cursor
    frames, pages, query = [], 0, dict[str, str]()
    while pages == 0 or query["cursor"] is not None:
        status, body = call(asked("results", query))
        assert status == 200
        assert len(json.dumps(body["results"])) < 1500
        assert body["results_url"].startswith("https://")
        frames += body["results"]
        pages += 1
        query = {"cursor": body["next_cursor"]}
    # THEN it has every frame once, in order
    assert [frame["frame_index"] for frame in frames] == list(range(200))
    assert pages > 5


def test_a_foreign_cursor_is_refused(app: VideoJobs, tmp_path: Path) -> None:
    completed_job(app, tmp_path, frames=2)
    assert refusal(asked("results", {"cursor": "abc"})) == (400, "invalid_cursor")


def test_no_frames_is_an_empty_list(app: VideoJobs, tmp_path: Path) -> None:
    completed_job(app, tmp_path, frames=0)
    assert call("results")[1]["results"] == []


def test_a_fault_of_ours_tells_no_internals(
    app: VideoJobs, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(app.ports.jobs, "get_by_id", lambda _: 1 / 0)
    status, body = call("status")
    assert (status, body["code"]) == (500, "internal_error")
    assert "division" not in json.dumps(body)
    assert "ZeroDivisionError" in caplog.text


# --- the template and the model ----------------------------------------------------------------------


def test_the_template_defines_the_table_that_the_model_describes(resources: Resources) -> None:
    from video_jobs.adapters.aws.job_item import job_item_model

    described = boto3.client("dynamodb", region_name="us-east-1").describe_table(
        TableName=resources.id("JobsTable")
    )["Table"]
    model = job_item_model("other", "us-east-1")
    model.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    modelled = boto3.client("dynamodb", region_name="us-east-1").describe_table(TableName="other")["Table"]

    def shape(table: Any) -> Any:
        indexes = {
            index["IndexName"]: (
                {key["AttributeName"]: key["KeyType"] for key in index["KeySchema"]},
                index["Projection"]["ProjectionType"],
            )
            for index in table["GlobalSecondaryIndexes"]
        }
        kinds = {entry["AttributeName"]: entry["AttributeType"] for entry in table["AttributeDefinitions"]}
        return table["KeySchema"], indexes, kinds, table["BillingModeSummary"]["BillingMode"]

    assert shape(described) == shape(modelled)
    ttl = resources.template.resources["JobsTable"]["Properties"]["TimeToLiveSpecification"]
    assert ttl["AttributeName"] == "expires_at"


def test_every_sample_event_is_used_by_a_test() -> None:
    texts = (path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.glob("test_*.py")))
    text = "".join(texts)
    assert [path.stem for path in EVENTS.glob("*.json") if f'"{path.stem}"' not in text] == []
