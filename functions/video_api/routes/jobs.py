"""``/video/jobs``: list, read, cancel, retry, delete."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from video_jobs.bootstrap import aws_services
from video_jobs.domain.job import Job, JobStatus, to_iso
from video_jobs.services.cancel_job import cancel_job
from video_jobs.services.delete_job import delete_job
from video_jobs.services.get_job import get_job
from video_jobs.services.list_jobs import list_jobs
from video_jobs.services.retry_job import retry_job

from functions.video_api.answers import json_answer, polling_headers
from functions.video_api.caller import owner_of

router = APIGatewayHttpRouter()


@router.get("/video/jobs")
def get_job_list() -> Response[str]:
    """The caller's own jobs, newest first."""
    from functions.video_api.parameters import ListParameters  # pydantic stays off the start path

    event = router.current_event
    wanted = ListParameters.model_validate(event.query_string_parameters)
    page = list_jobs(
        owner_of(event), wanted.to_filter(), wanted.limit, wanted.cursor, jobs=aws_services().jobs
    )
    return json_answer({"jobs": [to_resource(job) for job in page.jobs], "next_cursor": page.next_cursor})


@router.get("/video/jobs/<job_id>")
def get_job_resource(job_id: str) -> Response[str]:
    """All that its owner may know of a job."""
    job = get_job(job_id, owner_of(router.current_event), jobs=aws_services().jobs)
    return json_answer(to_resource(job), headers=polling_headers(job))


@router.post("/video/jobs/<job_id>/cancel")
def post_cancel(job_id: str) -> Response[str]:
    """End an open job."""
    services = aws_services()
    job = cancel_job(
        job_id,
        owner_of(router.current_event),
        jobs=services.jobs,
        clock=services.clock,
        keep=services.keep,
    )
    return json_answer(to_resource(job))


@router.post("/video/jobs/<job_id>/retry")
def post_retry(job_id: str) -> Response[str]:
    """Run a failed job once more."""
    services = aws_services()
    job = retry_job(
        job_id,
        owner_of(router.current_event),
        jobs=services.jobs,
        storage=services.storage,
        queue=services.queue,
        clock=services.clock,
    )
    return json_answer(to_resource(job), headers=polling_headers(job))


@router.delete("/video/jobs/<job_id>")
def delete_job_resource(job_id: str) -> Response[str]:
    """Delete a job with its video and results."""
    services = aws_services()
    delete_job(
        job_id,
        owner_of(router.current_event),
        jobs=services.jobs,
        storage=services.storage,
        clock=services.clock,
        keep=services.keep,
    )
    return Response(204)


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
        "webhook": _webhook(job),
        "created_at": to_iso(job.created_at),
        "updated_at": to_iso(job.updated_at),
    }


def _webhook(job: Job) -> dict[str, Any] | None:
    """How far the call is that the job asked for."""
    if job.callback_url is None:
        return None
    untried = {"state": "waiting", "attempts": 0, "status_code": None, "error": None, "updated_at": None}
    return {"callback_url": job.callback_url, **(job.webhook or untried)}


def percent(job: Job) -> int | None:
    """Share of the frames that are done, 0-100; None while nobody knows how many there are."""
    if job.status is JobStatus.COMPLETED:
        return 100
    if not job.frames_total:
        return 0 if job.status is JobStatus.PENDING else None
    return min(99, 100 * job.frames_done // job.frames_total)
