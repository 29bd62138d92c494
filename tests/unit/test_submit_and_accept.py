"""From the submitted video to the queued job."""

from __future__ import annotations

from pathlib import Path

import pytest
from video_jobs.application import VideoJobs
from video_jobs.bindings import Ports
from video_jobs.domain import changes
from video_jobs.domain.errors import InvalidVideoError, UnknownPipelineError, VideoTooLargeError
from video_jobs.domain.job import Job, JobOptions, JobStatus, UploadState
from video_jobs.domain.rules import Rules
from video_jobs.use_cases.intake import Submission

from tests.support.clock import ManualClock

MP4 = b"\0\0\0\x14ftypisom\0\0\2\0isom" + b"\0" * 200
RULES = Rules(known_pipelines=frozenset({"yolo_ocr"}), max_body_bytes=1000, max_upload_bytes=5000)
BY_ANN = Submission(owner="ann")


@pytest.fixture
def app() -> VideoJobs:
    return VideoJobs(Ports.in_memory(ManualClock()), RULES)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return tmp_path / "video"


def submitted(app: VideoJobs, size_bytes: int = len(MP4)) -> Job:
    job, _ = app.intake.submit_form(size_bytes, BY_ANN)
    return job


def upload(app: VideoJobs, job: Job, video: Path, content: bytes = MP4) -> Job:
    video.write_bytes(content)
    stored = app.ports.storage.save_file(job.upload.key, video, "video/mp4")
    accepted = app.intake.accept_upload(job.upload.key, stored.version)
    assert accepted is not None
    return accepted


def test_a_video_in_the_body_is_queued_when_its_object_is_told(app: VideoJobs, video: Path) -> None:
    # GIVEN a job whose video came with the request
    video.write_bytes(MP4)
    job = app.intake.submit_video(video, Submission(owner="ann", options=JobOptions(frame_stride=2)))
    assert app.ports.queue.size() == 0
    # WHEN the storage tells of the object
    accepted = app.intake.accept_upload(job.upload.key)
    # THEN the job is in the queue
    assert accepted is not None
    assert (accepted.upload.state, accepted.generation) == (UploadState.ACCEPTED, 1)
    assert accepted.options.frame_stride == 2
    assert accepted.queued_at is not None
    message = app.ports.queue.dequeue()
    assert message is not None
    assert (message.body, message.generation) == (job.job_id, 1)


def test_an_event_told_twice_queues_once(app: VideoJobs, video: Path) -> None:
    job = submitted(app)
    first = upload(app, job, video)
    assert app.intake.accept_upload(job.upload.key) == first
    assert app.ports.queue.size() == 1


def test_the_first_valid_version_is_the_one_that_counts(app: VideoJobs, video: Path) -> None:
    job = submitted(app)
    first = upload(app, job, video)
    second = upload(app, job, video, MP4 + b"x")
    assert second.upload.version == first.upload.version is not None


def test_garbage_fails_its_job_with_the_reason(app: VideoJobs, video: Path) -> None:
    job = upload(app, submitted(app, 100), video, b"text, renamed")
    assert job.error is not None
    assert (job.status, job.error.code) == (JobStatus.FAILED, "invalid_mp4")
    assert app.ports.queue.size() == 0


def test_a_crash_after_accepting_is_healed_by_the_next_telling(app: VideoJobs, video: Path) -> None:
    # GIVEN a job that was accepted, but never sent
    job = submitted(app)
    video.write_bytes(MP4)
    stored = app.ports.storage.save_file(job.upload.key, video, "video/mp4")
    now = app.ports.clock.now()
    app.ports.jobs.update_status(changes.accept_upload(job, version=stored.version, size_bytes=1, now=now))
    # WHEN the object is told of again
    app.intake.accept_upload(job.upload.key)
    # THEN it is sent
    assert app.ports.queue.size() == 1


def test_bad_submissions_leave_no_job(app: VideoJobs, video: Path) -> None:
    video.touch()
    with pytest.raises(InvalidVideoError):
        app.intake.submit_video(video, BY_ANN)
    video.write_bytes(MP4 + b"\0" * 1000)
    with pytest.raises(VideoTooLargeError, match="Submit JSON"):
        app.intake.submit_video(video, BY_ANN)
    video.write_bytes(MP4)
    with pytest.raises(UnknownPipelineError, match="yolo_ocr"):
        app.intake.submit_video(video, Submission(owner="ann", options=JobOptions(pipeline_id="nope")))
    with pytest.raises(VideoTooLargeError):
        submitted(app, 5001)
    assert app.ports.jobs.list_by_owner("ann", 10) == []
