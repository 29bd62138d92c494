"""What a client is told who would have more than he may."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace

import pytest
from video_jobs.application import VideoJobs
from video_jobs.bootstrap import application
from video_jobs.domain.accounts import Quotas
from video_jobs.domain.job import JobStatus

from tests.integration.conftest import answer_of, asked, call, load_event, refusal
from tests.integration.job_states import failed_job, saved_job, stored_job

WAYS = ("submit_video", "submit_json", "submit_multipart", "submit_source_url")


@pytest.fixture
def with_one_job(app: VideoJobs) -> VideoJobs:
    """The application of an owner who may have one open job."""
    app.rules = replace(app.rules, quotas=Quotas(open_jobs=1))
    assert application() is app
    return app


@pytest.mark.parametrize("way", WAYS)
def test_each_way_of_submitting_is_refused_with_a_time_to_ask_again(
    with_one_job: VideoJobs, way: str
) -> None:
    saved_job(with_one_job)
    answer = answer_of(load_event(way))
    problem = json.loads(answer["body"])
    assert (answer["statusCode"], problem["code"]) == (429, "quota_exceeded")
    assert answer["headers"]["Retry-After"] == "60"
    assert "cancel some" in problem["detail"]
    # AND another owner's job is taken
    assert call(asked("submit_json", owner="bob"))[0] == 201


def test_a_retry_is_refused_as_a_submit_is(with_one_job: VideoJobs) -> None:
    failed_job(with_one_job)
    saved_job(with_one_job, job_id=str(uuid.uuid4()))
    assert refusal("retry_job") == (429, "quota_exceeded")
    assert stored_job(with_one_job).status is JobStatus.FAILED


def test_a_job_is_retried_only_so_often(app: VideoJobs) -> None:
    failed_job(app, retries=app.rules.max_retries)
    assert refusal("retry_job") == (409, "job_state")


def test_a_refusal_has_the_seconds_to_the_next_minute(app: VideoJobs) -> None:
    app.rules = replace(app.rules, quotas=Quotas(submits_a_minute=1))
    first, second = (answer_of(load_event("submit_json")) for _ in range(2))
    assert (first["statusCode"], second["statusCode"]) == (201, 429)
    assert second["headers"]["Retry-After"] == str(60 - app.ports.clock.now().second)
