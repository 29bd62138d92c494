"""``GET /video/jobs/{job_id}``"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from video_jobs.bootstrap import aws_services
from video_jobs.domain.job import Job, JobStatus, to_iso
from video_jobs.services.get_job import get_job

from functions.video_api.caller import owner_of

router = APIGatewayHttpRouter()


@router.get("/video/jobs/<job_id>")
def get_job_resource(job_id: str) -> dict[str, Any]:
    """All that its owner may know of a job."""
    return to_resource(get_job(job_id, owner_of(router.current_event), jobs=aws_services().jobs))


def to_resource(job: Job) -> dict[str, Any]:
    """The job as JSON; ``percent`` is 100 only when the results are stored."""
    error = {"code": job.error_code, "message": job.error_message} if job.error_code else None
    return {
        "job_id": job.job_id,
        "status": job.status,
        "progress": job.progress,
        "pipeline_id": job.pipeline_id,
        "frame_stride": job.frame_stride,
        "max_frames": job.max_frames,
        "filename": job.filename,
        "size_bytes": job.input_bytes,
        "frames_done": job.frames_done,
        "frames_total": job.frames_total,
        "percent": percent(job),
        "attempt": job.attempt,
        "warnings": list(job.warnings),
        "fingerprint": job.fingerprint,
        "error": error,
        "created_at": to_iso(job.created_at),
        "updated_at": to_iso(job.updated_at),
    }


def percent(job: Job) -> int | None:
    """Share of the frames that are done, 0-100; None while nobody knows how many there are."""
    if job.status is JobStatus.COMPLETED:
        return 100
    if not job.frames_total:
        return 0 if job.status is JobStatus.PENDING else None
    return min(99, 100 * job.frames_done // job.frames_total)
