"""The files in events/: whose they are, what each needs to be there before, and what it comes to."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from video_jobs.application import VideoJobs

from tests.integration.conftest import EVENTS, load_event
from tests.integration.job_states import (
    VIDEO,
    awaiting_chunks,
    completed_job,
    failed_job,
    fetching_job,
    running_job,
    saved_job,
    uploaded_video,
)
from tools.local_stack.template import Template
from tools.reference.__main__ import OPENAPI

_VERSION = re.compile(r'"versionId": "[^"]+"')
NAMES = sorted(path.stem for path in EVENTS.glob("*.json"))
_OPENAPI = json.loads(OPENAPI.read_text(encoding="utf-8"))


def function_of(name: str) -> str:
    """An API's event names its route; any other file is called after the folder of its function."""
    template, event = Template(), load_event(name)
    if "routeKey" in event:
        routes = {f"{route.method} {route.path}": route.function for route in template.routes()}
        takers = {routes[event["routeKey"]]}
    else:
        takers = {one for one in _takers_of_kind(event) if name.startswith(_folder_of(one))}
    assert len(takers) == 1, f"events/{name}.json belongs to {sorted(takers) or 'no function'}"
    return takers.pop()


def sample_of(function: str) -> str:
    """An event that finds nothing of what it needs, which every function logs."""
    return next(name for name in NAMES if function_of(name) == function)


def _takers_of_kind(event: Mapping[str, Any]) -> set[str]:
    """The functions that take events of this source."""
    template = Template()
    sources: Mapping[str, Any] = {
        "aws:sqs": template.queue_sources,
        "aws:dynamodb": template.stream_sources,
        "aws.events": template.schedules,
    }
    kind = event["Records"][0]["eventSource"] if "Records" in event else event["source"]
    return {one.function for one in sources[kind]()}


def _folder_of(function: str) -> str:
    return Template().handler(function).split(".")[1]


# --- what is there before ----------------------------------------------------------------------------


def uploaded(app: VideoJobs, _: Path) -> None:
    saved_job(app)
    uploaded_video(app)


PREPARATIONS: Mapping[str, Callable[[VideoJobs, Path], object]] = {
    "nothing": lambda *_: None,
    "running": lambda app, _: running_job(app),
    "failed": lambda app, _: failed_job(app),
    "completed": lambda app, folder: completed_job(app, folder, frames=3),
    "awaiting": lambda app, _: awaiting_chunks(app, 150 * 2**20),
    "uploaded": uploaded,
    "fetching": lambda app, _: fetching_job(app),
}


@dataclass(frozen=True)
class Sample:
    """What must be there, and what an event comes to: an HTTP status, records that fail, or counts."""

    needs: str
    outcome: int | list[int] | dict[str, int]


SAMPLES: Mapping[str, Sample] = {
    "submit_video": Sample("nothing", 201),
    "submit_quicktime": Sample("nothing", 201),
    "submit_json": Sample("nothing", 201),
    "submit_multipart": Sample("nothing", 201),
    "submit_text_engine": Sample("nothing", 201),
    "submit_options": Sample("nothing", 201),
    "submit_source_url": Sample("nothing", 201),
    "submit_video_not_mp4": Sample("nothing", 400),
    "submit_json_bad_stride": Sample("nothing", 400),
    "quote": Sample("nothing", 200),
    "status": Sample("running", 200),
    "job": Sample("running", 200),
    "video": Sample("failed", 200),
    "results": Sample("completed", 200),
    "results_with_tracks": Sample("completed", 200),
    "summary": Sample("completed", 200),
    "status_unknown_job": Sample("running", 404),
    "job_unknown_job": Sample("running", 404),
    "results_unknown_job": Sample("running", 404),
    "list_jobs": Sample("running", 200),
    "pipelines": Sample("nothing", 200),
    "health": Sample("nothing", 200),
    "cancel_job": Sample("running", 200),
    "retry_job": Sample("failed", 200),
    "delete_job": Sample("completed", 204),
    "upload": Sample("awaiting", 200),
    "sign_parts": Sample("awaiting", 200),
    "complete_upload": Sample("awaiting", 409),
    "abort_upload": Sample("awaiting", 200),
    "upload_received": Sample("uploaded", []),
    "upload_received_encoded_key": Sample("uploaded", []),
    "upload_received_malformed": Sample("uploaded", [0]),
    "upload_received_test_event": Sample("nothing", []),
    "dead_letter": Sample("running", []),
    "dead_letter_not_a_job": Sample("nothing", []),
    "job_events": Sample("nothing", []),
    "queue_webhook": Sample("nothing", []),
    "deliver_webhook": Sample("nothing", [0]),
    "fetch_source": Sample("fetching", []),
    "reconcile_schedule": Sample("running", {"taken_back": 1}),
}


def prepared_event(name: str, app: VideoJobs, folder: Path) -> dict[str, Any]:
    """The event, with everything there that it needs; a new file has to do without until it is listed."""
    if name in SAMPLES:
        PREPARATIONS[SAMPLES[name].needs](app, folder)
    return with_version_of_video(load_event(name), app)


def with_version_of_video(event: dict[str, Any], app: VideoJobs) -> dict[str, Any]:
    """The event, about the version of the video that is stored now."""
    video = app.ports.storage.find_file(VIDEO)
    for record in event.get("Records", []):
        if video is not None and "body" in record:
            record["body"] = _VERSION.sub(f'"versionId": "{video.version}"', record["body"])
    return event


# --- what it comes to --------------------------------------------------------------------------------


def outcome_of(event: Mapping[str, Any], payload: Any, request_id: str) -> Any:
    """The answer in the terms of `Sample`, once its shape is checked."""
    if "routeKey" in event:
        return _status_of(event, payload, request_id)
    if "Records" in event:
        return _failed_records(event, payload)
    assert all(isinstance(count, int) for count in payload.values()), payload
    return payload


def _status_of(event: Mapping[str, Any], payload: Any, request_id: str) -> int:
    """The status, which the OpenAPI document must describe for this route."""
    status, method = payload["statusCode"], event["requestContext"]["http"]["method"]
    path = event["routeKey"].partition(" ")[2]
    assert str(status) in _OPENAPI["paths"][path][method.lower()]["responses"]
    assert status < 500, payload
    assert payload["isBase64Encoded"] is False
    if status != 204:
        _check_body(status, json.loads(payload["body"]), payload["headers"]["Content-Type"], request_id)
    return int(status)


def _check_body(status: int, body: Any, content_type: str, request_id: str) -> None:
    if status < 400:
        assert content_type == "application/json"
        return
    assert content_type == "application/problem+json"
    assert (body["status"], body["request_id"]) == (status, request_id)
    assert body["detail"]
    assert body["code"]


def _failed_records(event: Mapping[str, Any], payload: Any) -> list[int]:
    """Positions of the records that a batch's answer gives back."""
    assert list(payload) == ["batchItemFailures"]
    ids = [record.get("messageId") or record["dynamodb"]["SequenceNumber"] for record in event["Records"]]
    return [ids.index(failure["itemIdentifier"]) for failure in payload["batchItemFailures"]]
