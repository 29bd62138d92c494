"""The same submit again, under an Idempotency-Key."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from video_jobs.application import VideoJobs

from tests.integration.conftest import call, load_event, refusal
from tests.integration.job_states import stored_job
from tests.support.clock import ManualClock


def with_key(name: str, key: str = "k") -> dict[str, Any]:
    event = load_event(name)
    return event | {"headers": event["headers"] | {"idempotency-key": key}}


@pytest.mark.parametrize("name", ["submit_video", "submit_json"])
def test_the_same_request_again_is_the_same_job(app: VideoJobs, name: str) -> None:
    event = with_key(name)
    first, second = call(event), call(event)
    assert first[0] == second[0] == 201
    assert first[1]["job_id"] == second[1]["job_id"]
    assert ("upload" in second[1]) == (name == "submit_json")
    assert len(app.ports.jobs.list_by_owner("local", 10)) == 1


def test_the_same_request_again_waits_for_the_new_upload(app: VideoJobs, clock: ManualClock) -> None:
    event = with_key("submit_json")
    job_id = call(event)[1]["job_id"]
    first = stored_job(app, job_id)
    clock.advance(60)
    call(event)
    second = stored_job(app, job_id)
    assert first.due_at is not None
    assert second.due_at == first.due_at + timedelta(minutes=1)


def test_another_request_under_the_same_key_is_refused(app: VideoJobs) -> None:
    call(with_key("submit_json"))
    other = with_key("submit_json") | {"body": '{"size_bytes": 77}'}
    assert refusal(other) == (422, "idempotency_mismatch")
    assert refusal(with_key("submit_video")) == (422, "idempotency_mismatch")


def test_a_key_belongs_to_its_owner(app: VideoJobs) -> None:
    first = call(with_key("submit_json"))[1]["job_id"]
    event = with_key("submit_json")
    event["requestContext"]["authorizer"]["jwt"]["claims"]["sub"] = "somebody else"
    status, body = call(event)
    assert status == 201
    assert body["job_id"] != first


def test_a_key_that_is_none_is_refused(app: VideoJobs) -> None:
    for key in ("", "x" * 256, "schlüssel", "a\nb"):
        assert call(with_key("submit_json", key))[0] == 400
