"""``GET /video/status/{job_id}``"""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from video_jobs.domain.errors import JobNotFoundError
from video_jobs.domain.job import to_iso

from functions.video_api.answers import json_answer, polling_headers
from functions.video_api.caller import own_job
from functions.video_api.operations import operation

router = APIGatewayHttpRouter()


@router.get("/video/status/<job_id>")
@operation(
    name="status",
    summary="How far a job is",
    answer="JobStatus",
    answer_headers=["Retry-After"],
    errors=[JobNotFoundError],
)
def get_status(job_id: str) -> Response[str]:
    """How far the job is."""
    job = own_job(job_id, router.current_event)
    body = {
        "job_id": job.job_id,
        "status": job.status,
        "progress": job.status.progress,
        "created_at": to_iso(job.created_at),
        "updated_at": to_iso(job.updated_at),
        "error_message": job.error and job.error.message,
    }
    return json_answer(body, headers=polling_headers(job))
