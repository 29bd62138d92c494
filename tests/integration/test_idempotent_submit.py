"""The same submit again, under an Idempotency-Key."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from video_jobs.application import VideoJobs

from tests.integration.conftest import call, load_event, refusal
from tests.integration.job_states import stored_job
from tests.support.clock import ManualClock


def with_key(event: dict[str, Any], key: str) -> dict[str, Any]:
    return event | {"headers": event["headers"] | {"idempotency-key": key}}


@pytest.mark.parametrize("name", ["submit_video", "submit_json"])
def test_the_same_request_again_is_the_same_job(app: VideoJobs, name: str) -> None:
    event = with_key(load_event(name), "order-17")
    first, second = call(event), call(event)
    assert first[0] == second[0] == 201
    assert first[1]["job_id"] == second[1]["job_id"]
    assert ("upload" in second[1]) == (name == "submit_json")
    assert len(app.ports.jobs.list_by_owner("local", 10)) == 1


def test_the_same_request_again_waits_for_the_new_upload(app: VideoJobs, clock: ManualClock) -> None:
    event = with_key(load_event("submit_json"), "k")
    job_id = call(event)[1]["job_id"]
    first = stored_job(app, job_id)
    clock.advance(60)
    call(event)
    second = stored_job(app, job_id)
    assert first.due_at is not None
    assert second.due_at == first.due_at + timedelta(minutes=1)


def test_another_request_under_the_same_key_is_refused(app: VideoJobs) -> None:
    call(with_key(load_event("submit_json"), "k"))
    other = with_key(load_event("submit_json"), "k") | {"body": '{"size_bytes": 77}'}
    assert refusal(other) == (422, "idempotency_mismatch")
    assert refusal(with_key(load_event("submit_video"), "k")) == (422, "idempotency_mismatch")


def test_a_key_belongs_to_its_owner(app: VideoJobs) -> None:
    first = call(with_key(load_event("submit_json"), "k"))[1]["job_id"]
    event = with_key(load_event("submit_json"), "k")
    event["requestContext"]["authorizer"]["jwt"]["claims"]["sub"] = "somebody else"
    status, body = call(event)
    assert status == 201
    assert body["job_id"] != first


@pytest.mark.parametrize("key", ["", "x" * 256, "schlüssel", "a\nb"])
def test_a_key_that_is_none_is_refused(app: VideoJobs, key: str) -> None:
    assert call(with_key(load_event("submit_json"), key))[0] == 400
