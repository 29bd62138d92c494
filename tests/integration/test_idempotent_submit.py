"""The same submit again, under an Idempotency-Key."""

from __future__ import annotations

from typing import Any

import pytest
from video_jobs.bootstrap import AwsServices

from tests.integration.conftest import call, load_event


def with_key(event: dict[str, Any], key: str) -> dict[str, Any]:
    return event | {"headers": event["headers"] | {"idempotency-key": key}}


@pytest.mark.parametrize("name", ["submit_video", "submit_json"])
def test_the_same_request_again_is_the_same_job(services: AwsServices, name: str) -> None:
    event = with_key(load_event(name), "order-17")
    first, second = call(event), call(event)
    assert first[0] == second[0] == 201
    assert first[1]["job_id"] == second[1]["job_id"]
    assert ("upload" in second[1]) == (name == "submit_json")
    assert len(services.jobs.list_by_owner("local", 10)) == 1


def test_the_same_request_again_waits_for_the_new_upload(services: AwsServices) -> None:
    event = with_key(load_event("submit_json"), "k")
    job_id = call(event)[1]["job_id"]
    first = services.jobs.get_by_id(job_id)
    call(event)
    second = services.jobs.get_by_id(job_id)
    assert first is not None
    assert second is not None
    assert (first.due_at or first.created_at) < (second.due_at or first.created_at)


def test_another_request_under_the_same_key_is_refused(services: AwsServices) -> None:
    call(with_key(load_event("submit_json"), "k"))
    other = with_key(load_event("submit_json"), "k") | {"body": '{"size_bytes": 77}'}
    status, body = call(other)
    assert (status, body["code"]) == (422, "idempotency_mismatch")
    assert call(with_key(load_event("submit_video"), "k"))[0] == 422


def test_a_key_belongs_to_its_owner(services: AwsServices) -> None:
    first = call(with_key(load_event("submit_json"), "k"))[1]["job_id"]
    event = with_key(load_event("submit_json"), "k")
    event["requestContext"]["authorizer"]["jwt"]["claims"]["sub"] = "somebody else"
    assert call(event)[1]["job_id"] != first


@pytest.mark.parametrize("key", ["", "x" * 256, "schlüssel", "a\nb"])
def test_a_key_that_is_none_is_refused(services: AwsServices, key: str) -> None:
    assert call(with_key(load_event("submit_json"), key))[0] == 400
