"""From the submitted video to the queued job."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from video_jobs.adapters.local_storage import LocalStorage
from video_jobs.adapters.memory import MemoryJobRepository, MemoryQueue
from video_jobs.adapters.system import SystemClock, Uuid4Factory
from video_jobs.domain import transitions
from video_jobs.domain.errors import InvalidVideoError, UnknownPipelineError, VideoTooLargeError
from video_jobs.domain.job import Job, JobStatus, UploadState
from video_jobs.domain.keys import video_key
from video_jobs.services.accept_upload import accept_upload
from video_jobs.services.submit_job import SubmitLimits, SubmitOptions, submit_job, submit_video

MP4 = b"\0\0\0\x14ftypisom\0\0\2\0isom" + b"\0" * 200
LIMITS = SubmitLimits(
    known_pipelines=frozenset({"yolo_ocr"}),
    max_body_bytes=1000,
    max_upload_bytes=5000,
    upload_expires=timedelta(minutes=15),
)


class Service:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = SystemClock()
        self.jobs = MemoryJobRepository()
        self.storage = LocalStorage(folder / "storage")
        self.queue = MemoryQueue(self.clock)

    def file(self, content: bytes) -> Path:
        path = self.folder / "video"
        path.write_bytes(content)
        return path

    def submit_video(self, content: bytes, options: SubmitOptions) -> Job:
        return submit_video(
            self.file(content),
            "ann",
            options,
            jobs=self.jobs,
            storage=self.storage,
            clock=self.clock,
            ids=Uuid4Factory(),
            limits=LIMITS,
        )

    def submit_job(self, size_bytes: int) -> Job:
        job, _ = submit_job(
            size_bytes,
            "ann",
            SubmitOptions(),
            jobs=self.jobs,
            storage=self.storage,
            clock=self.clock,
            ids=Uuid4Factory(),
            limits=LIMITS,
        )
        return job

    def upload(self, job: Job, content: bytes) -> Job | None:
        stored = self.storage.save_file(job.input_path, self.file(content), "video/mp4")
        return self.accept(job.input_path, stored.version)

    def accept(self, key: str, version: str | None = None) -> Job | None:
        return accept_upload(
            key,
            version,
            jobs=self.jobs,
            storage=self.storage,
            queue=self.queue,
            clock=self.clock,
            max_upload_bytes=LIMITS.max_upload_bytes,
            keep=timedelta(days=1),
        )


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return Service(tmp_path)


def test_a_video_in_the_body_is_queued_when_its_object_is_told(service: Service) -> None:
    job = service.submit_video(MP4, SubmitOptions(frame_stride=2))
    assert service.queue.size() == 0
    accepted = service.accept(job.input_path)
    assert accepted is not None
    assert (accepted.upload_state, accepted.generation) == (UploadState.ACCEPTED, 1)
    assert accepted.queued_at is not None
    message = service.queue.dequeue()
    assert message is not None
    assert (message.body, message.generation) == (job.job_id, 1)


def test_an_event_told_twice_queues_once(service: Service) -> None:
    job = service.submit_job(len(MP4))
    first = service.upload(job, MP4)
    assert service.accept(job.input_path) == first
    assert service.queue.size() == 1


def test_the_first_valid_version_is_the_one_that_counts(service: Service) -> None:
    job = service.submit_job(len(MP4))
    first = service.upload(job, MP4)
    second = service.upload(job, MP4 + b"x")
    assert first is not None
    assert second is not None
    assert second.input_version == first.input_version


def test_garbage_fails_its_job_with_the_reason(service: Service) -> None:
    job = service.upload(service.submit_job(100), b"text, renamed")
    assert job is not None
    assert (job.status, job.error_code) == (JobStatus.FAILED, "invalid_mp4")
    assert service.queue.size() == 0


def test_a_crash_after_accepting_is_healed_by_the_next_telling(service: Service) -> None:
    job = service.submit_job(len(MP4))
    stored = service.storage.save_file(job.input_path, service.file(MP4), "video/mp4")
    accept = transitions.accept_upload(
        job, version=stored.version, size_bytes=1, now=datetime(2026, 1, 1, tzinfo=UTC)
    )
    service.jobs.update_status(job.job_id, accept)
    service.accept(job.input_path)
    assert service.queue.size() == 1


def test_an_upload_without_a_job_is_removed(service: Service) -> None:
    key = video_key("22222222-2222-4222-8222-222222222222")
    service.storage.save_file(key, service.file(MP4), "video/mp4")
    assert service.accept(key) is None
    assert service.storage.find_file(key) is None


def test_bad_submissions_leave_no_job(service: Service) -> None:
    with pytest.raises(InvalidVideoError):
        service.submit_video(b"", SubmitOptions())
    with pytest.raises(VideoTooLargeError, match="Submit JSON"):
        service.submit_video(MP4 + b"\0" * 1000, SubmitOptions())
    with pytest.raises(UnknownPipelineError, match="yolo_ocr"):
        service.submit_video(MP4, SubmitOptions(pipeline_id="nope"))
    with pytest.raises(VideoTooLargeError):
        service.submit_job(5001)
    assert service.jobs.list_by_owner("ann", 10) == []
