"""The job of the sample events, in one state or another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
from video_jobs.application import VideoJobs
from video_jobs.domain import changes
from video_jobs.domain.accounts import Place
from video_jobs.domain.job import Failure, Job, JobStatus, Source, Upload, UploadState
from video_jobs.domain.keys import video_key
from video_jobs.domain.turns import move_of, moved
from video_jobs.ports import StoredFile
from video_worker.analysis import AnalysedFrame

from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.integration.conftest import EVENT_JOB_ID
from tests.support.joining import joined, part_lines
from tests.support.pretend_source import PretendSource

NOW = datetime(2026, 3, 1, tzinfo=UTC)
KEEP = timedelta(days=1)
LEASE = timedelta(minutes=1)
VIDEO = video_key(EVENT_JOB_ID)
AWAITED = Upload(key=VIDEO)
ACCEPTED = Upload(key=VIDEO, state=UploadState.ACCEPTED)


def saved_job(app: VideoJobs, **fields: Any) -> Job:
    values: dict[str, Any] = {"job_id": EVENT_JOB_ID, "owner": "local", "upload": AWAITED}
    job = Job(**(values | {"created_at": NOW, "updated_at": NOW} | fields))
    entry = move_of(job, place_of(job) if job.place is None else job.place)
    job = replace(job, place=entry.after)
    app.ports.jobs.save(job, replace(entry, before=None))
    return job


def place_of(job: Job) -> Place | None:
    """Where a job is counted that waits for no turn."""
    places = {UploadState.AWAITING: Place.AWAITING, UploadState.FETCHING: Place.OPEN}
    return places.get(job.upload.state, Place.SENT) if job.status.is_open else None


def waiting_job(app: VideoJobs, number: int = 255) -> Job:
    """Another job of the same owner, which waits for its turn."""
    job_id = f"{number:08x}{EVENT_JOB_ID[8:]}"
    return saved_job(app, job_id=job_id, upload=ACCEPTED, generation=1, place=Place.WAITING, due_at=NOW)


def stored_job(app: VideoJobs, job_id: str = EVENT_JOB_ID) -> Job:
    """The job as it is now."""
    job = app.ports.jobs.get_by_id(job_id)
    assert job is not None
    return job


def code_of(job: Job) -> str | None:
    """Why the job failed, if it did."""
    return None if job.error is None else job.error.code


def uploaded_video(app: VideoJobs) -> StoredFile:
    return app.ports.storage.save_file(VIDEO, TINY, "video/mp4")


def awaiting_chunks(app: VideoJobs, size_bytes: int, **fields: Any) -> Job:
    upload_id = app.ports.uploads.create(VIDEO, "video/mp4")
    upload = replace(AWAITED, multipart_id=upload_id, announced_bytes=size_bytes)
    return saved_job(app, upload=upload, **fields)


def fetching_job(app: VideoJobs, content: bytes = TINY.read_bytes(), **fields: Any) -> PretendSource:
    """A job that was just submitted with a URL, behind which there is ``content``."""
    upload = Upload(
        key=VIDEO,
        state=UploadState.FETCHING,
        multipart_id=app.ports.uploads.create(VIDEO, "video/mp4"),
        source=Source(url="https://source.example/video?signature=secret"),
        source_host="source.example",
    )
    saved_job(app, upload=upload, **({"created_at": app.ports.clock.now()} | fields))
    source = PretendSource(content)
    vars(app.ports)["source_reader"] = source
    return source


def put_only_chunk(bucket: str, job: Job) -> None:
    """What a client does whose video is one chunk."""
    boto3.client("s3", region_name="us-east-1").upload_part(
        Bucket=bucket,
        Key=job.upload.key,
        UploadId=job.upload.multipart_id or "",
        PartNumber=1,
        Body=TINY.read_bytes(),
    )


def queued_job(app: VideoJobs) -> Job:
    return saved_job(app, upload=ACCEPTED, generation=1, queued_at=NOW)


def running_job(app: VideoJobs, now: datetime = NOW) -> Job:
    change = changes.claim(queued_job(app), worker_id="w", lease=LEASE, now=now)
    return app.ports.jobs.update_status(change)


def failed_job(app: VideoJobs, **fields: Any) -> Job:
    upload = replace(ACCEPTED, version=uploaded_video(app).version)
    values: dict[str, Any] = {"upload": upload, "generation": 1, "failures": 3, "expires_at": NOW + KEEP}
    error = Failure("pipeline_failed", "m")
    return saved_job(app, status=JobStatus.FAILED, error=error, **(values | fields))


def text_of(frame: int) -> str:
    return f"é{frame}"


def time_ms_of(frame: int) -> float:
    """About 30 frames a second; the time from one frame to the next differs."""
    return round(frame * 1001 / 30, 3)


def completed_job(
    app: VideoJobs,
    folder: Path,
    frames: int,
    result_of: Callable[[int], dict[str, Any]] = lambda frame: {"text": text_of(frame)},
) -> Job:
    job = running_job(app)
    analysed = (AnalysedFrame(i, time_ms_of(i), result_of(i)) for i in range(frames))
    output = joined(folder, part_lines(analysed)).store(job.job_id, app.ports.storage)
    change = changes.complete(job, output=output, frames=frames, warnings=(), keep=KEEP, now=NOW)
    return app.ports.jobs.update_status(moved(change, job, None))
