"""Jobs of the functions' table, each in one state."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from video_jobs.bootstrap import AwsServices
from video_jobs.domain import transitions
from video_jobs.domain.job import Job, UploadState
from video_jobs.domain.keys import results_index_key, results_key
from video_worker.results_serializer import frame_line, write_results

from tests.integration.conftest import EVENT_JOB_ID

NOW = datetime(2026, 3, 1, tzinfo=UTC)
KEEP = timedelta(days=1)
LEASE = timedelta(minutes=1)


def saved_job(services: AwsServices, **changes: Any) -> Job:
    values: dict[str, Any] = {
        "job_id": EVENT_JOB_ID,
        "owner": "local",
        "created_at": NOW,
        "updated_at": NOW,
        "input_path": f"video_jobs/{EVENT_JOB_ID}.mp4",
    }
    job = Job(**(values | changes))
    services.jobs.save(job)
    return job


def queued_job(services: AwsServices) -> Job:
    return saved_job(services, upload_state=UploadState.ACCEPTED, generation=1, queued_at=NOW)


def running_job(services: AwsServices, now: datetime) -> Job:
    job = queued_job(services)
    return services.jobs.update_status(
        job.job_id, transitions.claim(job, worker_id="w", lease=LEASE, now=now)
    )


def text_of(frame: int) -> str:
    return f"é{frame}"


def completed_job(services: AwsServices, folder: Path, frames: int) -> Job:
    job = running_job(services, NOW)
    part = folder / "part"
    lines = [frame_line({"frame_index": i, "result": {"text": text_of(i)}}) + b"\n" for i in range(frames)]
    part.write_bytes(b"".join(lines))
    write_results([part], folder / "results", folder / "index")
    stored = services.storage.save_file(results_key(job.job_id), folder / "results", "application/json")
    index = services.storage.save_file(results_index_key(job.job_id), folder / "index", "x/y")
    change = transitions.complete(
        job,
        output_path=stored.key,
        output_version=stored.version,
        output_index_version=index.version,
        frames_done=frames,
        warnings=(),
        keep=KEEP,
        now=NOW,
    )
    return services.jobs.update_status(job.job_id, change)
