"""GET /video/jobs/{job_id}/video, and what its URL gives."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from video_jobs.application import VideoJobs
from video_jobs.domain.job import Upload, UploadState

from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.integration.conftest import EVENT_JOB_ID, call, logged, refusal
from tests.integration.job_states import ACCEPTED, AWAITED, VIDEO, failed_job, uploaded_video

CONTENT = TINY.read_bytes()


def test_a_player_reads_ranges_of_the_version_that_was_accepted(services: VideoJobs) -> None:
    # GIVEN a job whose video was replaced after it was accepted
    failed_job(services)
    services.ports.storage.save_file(VIDEO, Path(__file__), "video/mp4")
    # WHEN its owner asks for it
    before = datetime.now(UTC)
    status, body = call("video")
    # THEN the URL gives any part of the accepted video, and only for a short time
    assert (status, body["job_id"], body["size_bytes"]) == (200, EVENT_JOB_ID, len(CONTENT))
    answer = requests.get(body["video_url"], headers={"Range": "bytes=100-"}, timeout=10)
    assert (answer.status_code, answer.content) == (206, CONTENT[100:])
    assert answer.headers["content-range"] == f"bytes 100-{len(CONTENT) - 1}/{len(CONTENT)}"
    left = datetime.fromisoformat(body["expires_at"]) - before
    assert 0 <= (left - services.rules.download_expires).total_seconds() < 60
    assert f"X-Amz-Expires={services.rules.download_expires.seconds}" in body["video_url"]


@pytest.mark.parametrize(
    "upload",
    [AWAITED, replace(AWAITED, state=UploadState.FETCHING), replace(ACCEPTED, version="gone")],
    ids=["awaited", "fetching", "gone"],
)
def test_without_an_accepted_video_there_is_no_url(app: VideoJobs, upload: Upload) -> None:
    uploaded_video(app)  # what was not checked is not shown
    failed_job(app, upload=upload)
    assert refusal("video") == (404, "video_missing")
    assert "submit the video again" in call("video")[1]["detail"]


def test_a_deleted_video_has_no_url(app: VideoJobs) -> None:
    failed_job(app, upload=ACCEPTED)
    app.ports.storage.delete_file(VIDEO)
    assert refusal("video") == (404, "video_missing")


def test_the_url_is_in_no_log(services: VideoJobs, caplog: pytest.LogCaptureFixture) -> None:
    failed_job(services)
    caplog.set_level("DEBUG", logger="video-jobs")
    signature = call("video")[1]["video_url"].partition("X-Amz-Signature=")[2]
    assert signature
    assert signature not in logged(caplog)
