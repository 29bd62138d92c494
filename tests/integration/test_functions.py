"""Every function answers the sample events in events/."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from video_jobs.bootstrap import AwsServices
from video_jobs.domain.job import JobStatus

from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.integration.conftest import EVENT_JOB_ID, EVENTS, call, load_event
from tests.integration.job_states import NOW, completed_job, running_job, saved_job
from tests.support.aws import Resources

# --- submit ------------------------------------------------------------------------------------------


def test_submit_video_stores_the_item_and_the_object(services: AwsServices) -> None:
    status, body = call("submit_video")
    assert (status, list(body)) == (201, ["job_id"])
    job = services.jobs.get_by_id(body["job_id"])
    assert job is not None
    assert (job.owner, job.status, job.frame_stride, job.generation) == ("local", "pending", 5, 0)
    stored = services.storage.find_file(job.input_path)
    assert stored is not None
    assert stored.size_bytes == len(base64.b64decode(load_event("submit_video")["body"]))
    assert services.queue.size() == 0


def test_submit_video_takes_a_form_too(services: AwsServices, tmp_path: Path) -> None:
    form = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n'
        b"Content-Type: video/mp4\r\n\r\n" + TINY.read_bytes() + b"\r\n--b--\r\n"
    )
    event = load_event("submit_video")
    event["headers"]["content-type"] = "multipart/form-data; boundary=b"
    event["body"] = base64.b64encode(form).decode()
    status, body = call(event)
    assert status == 201
    job = services.jobs.get_by_id(body["job_id"])
    assert job is not None
    services.storage.load_file(job.input_path, tmp_path / "copy.mp4")
    assert (tmp_path / "copy.mp4").read_bytes() == TINY.read_bytes()


def test_submit_json_answers_a_signed_upload(services: AwsServices) -> None:
    status, body = call("submit_json")
    assert status == 201
    upload = body["upload"]
    assert upload["fields"]["key"] == f"video_jobs/{body['job_id']}.mp4"
    assert upload["fields"]["x-amz-algorithm"] == "AWS4-HMAC-SHA256"
    assert upload["max_bytes"] == 1048576
    job = services.jobs.get_by_id(body["job_id"])
    assert job is not None
    assert (job.frame_stride, job.max_frames, job.filename) == (5, 100, "street.mp4")


def test_submit_video_that_is_no_mp4(services: AwsServices) -> None:
    status, body = call("submit_video_not_mp4")
    assert (status, body["code"]) == (400, "invalid_mp4")
    assert body["detail"].startswith("Invalid MP4 file")
    assert services.jobs.list_by_owner("local", 10) == []


def test_submit_json_with_a_bad_stride(services: AwsServices) -> None:
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
def test_submit_video_with_bad_parameters(services: AwsServices, query: dict[str, str], word: str) -> None:
    event = load_event("submit_video")
    event["queryStringParameters"] = query
    status, body = call(event)
    assert status == 400
    assert word in body["detail"]
    assert services.jobs.list_by_owner("local", 10) == []


@pytest.mark.parametrize("body", ["{", "[]", '{"size_bytes": 0}', '{"size_bytes": 5, "color": 1}', "{}"])
def test_submit_json_that_is_wrong(services: AwsServices, body: str) -> None:
    status, answer = call(load_event("submit_json") | {"body": body})
    assert (status, answer["code"]) == (400, "invalid_request")


def test_submit_of_another_type(services: AwsServices) -> None:
    event = load_event("submit_json")
    event["headers"]["content-type"] = "text/plain"
    assert call(event)[0] == 415


def test_submit_video_that_is_too_large_says_what_to_do(services: AwsServices) -> None:
    event = load_event("submit_video")
    event["body"] = base64.b64encode(TINY.read_bytes() + b"\0" * (4 * 2**20)).decode()
    status, body = call(event)
    assert status == 413
    assert "Submit JSON" in body["detail"]


def test_submit_without_a_body(services: AwsServices) -> None:
    status, body = call(load_event("submit_video") | {"body": None, "isBase64Encoded": False})
    assert (status, body["code"]) == (400, "invalid_mp4")


def test_a_request_past_the_authorizer_is_refused(services: AwsServices) -> None:
    event = load_event("submit_video")
    del event["requestContext"]["authorizer"]
    assert call(event)[0] == 401


# --- status and results ------------------------------------------------------------------------------


def test_status_has_just_the_documented_fields(services: AwsServices) -> None:
    running_job(services, NOW)
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
def test_an_unknown_job_is_not_found(services: AwsServices, name: str) -> None:
    status, body = call(name)
    assert (status, body["detail"]) == (404, "Job not found")


@pytest.mark.parametrize("name", ["status", "job", "results"])
def test_another_owners_job_is_not_found(services: AwsServices, name: str) -> None:
    saved_job(services, owner="somebody else")
    assert call(name)[1]["detail"] == "Job not found"


@pytest.mark.parametrize("name", ["status", "job", "results"])
def test_a_job_id_that_is_no_uuid_is_not_found(services: AwsServices, name: str) -> None:
    event = load_event(name)
    event["rawPath"] = event["rawPath"].replace(EVENT_JOB_ID, "abc")
    event["pathParameters"] = {"job_id": "abc"}
    assert call(event)[0] == 404


def test_the_job_resource_tells_the_frames(services: AwsServices) -> None:
    saved_job(services, status=JobStatus.RUNNING, frames_done=1, frames_total=3)
    _, body = call("job")
    assert (body["frames_done"], body["frames_total"], body["percent"]) == (1, 3, 33)


def test_a_path_without_a_route(services: AwsServices) -> None:
    status, body = call(load_event("status") | {"rawPath": "/nothing"})
    assert (status, body["code"]) == (404, "route_not_found")


def test_results_before_the_end(services: AwsServices) -> None:
    running_job(services, NOW)
    status, body = call("results")
    assert (status, body["detail"]) == (404, "Job not completed")


def test_results_are_the_list_itself(services: AwsServices, tmp_path: Path) -> None:
    completed_job(services, tmp_path, frames=3)
    status, body = call("results")
    assert status == 200
    assert sorted(body) == ["created_at", "job_id", "next_cursor", "results", "results_url", "updated_at"]
    assert body["results"][2] == {"frame_index": 2, "result": {"text": "é2"}}


def test_large_results_come_in_pages(
    services: AwsServices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # GIVEN results of many times the size of an answer
    monkeypatch.setenv("MAX_ANSWER_BYTES", "1000")
    from video_jobs import bootstrap

    bootstrap.aws_services.cache_clear()
    completed_job(services, tmp_path, frames=200)
    # WHEN a client follows the cursor
    frames, cursor, pages = [], None, 0
    while True:
        event = load_event("results")
        event["queryStringParameters"] = {"cursor": cursor} if cursor else {}
        status, body = call(event)
        assert status == 200
        assert len(json.dumps(body["results"])) < 1500
        frames += body["results"]
        pages += 1
        cursor = body.get("next_cursor")
        if cursor is None:
            break
        assert body["results_url"].startswith("https://")
    # THEN it has every frame once, in order
    assert [frame["frame_index"] for frame in frames] == list(range(200))
    assert pages > 5


def test_a_foreign_cursor_is_refused(services: AwsServices, tmp_path: Path) -> None:
    completed_job(services, tmp_path, frames=2)
    event = load_event("results")
    event["queryStringParameters"] = {"cursor": "abc"}
    status, body = call(event)
    assert (status, body["code"]) == (400, "invalid_cursor")


def test_no_frames_is_an_empty_list(services: AwsServices, tmp_path: Path) -> None:
    completed_job(services, tmp_path, frames=0)
    assert call("results")[1]["results"] == []


def test_a_fault_of_ours_tells_no_internals(
    services: AwsServices, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(type(services.jobs), "get_by_id", lambda *_: 1 / 0)
    status, body = call("status")
    assert (status, body["code"]) == (500, "internal_error")
    assert "division" not in json.dumps(body)
    assert "ZeroDivisionError" in caplog.text


# --- the template and the model ----------------------------------------------------------------------


def test_the_template_defines_the_table_that_the_model_describes(resources: Resources) -> None:
    from video_jobs.adapters.dynamodb import job_item_model

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
