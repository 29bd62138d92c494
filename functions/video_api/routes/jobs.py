"""``/video/jobs``: list, read, delete, cancel, retry."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from video_jobs.bootstrap import application
from video_jobs.domain.errors import (
    InvalidRequestError,
    JobNotFoundError,
    JobStateError,
    QuotaError,
    VideoMissingError,
)
from video_jobs.domain.job import to_iso

from functions.video_api.answers import job_answer, job_resource, json_answer, polling_headers
from functions.video_api.caller import own_job, owner_of
from functions.video_api.operations import operation

router = APIGatewayHttpRouter()


@router.get("/video/jobs")
@operation(
    name="listJobs",
    summary="The caller's own jobs, newest first",
    query="ListParameters",
    answer="JobList",
    answer_headers=["Retry-After"],
    errors=[InvalidRequestError],
)
def get_job_list() -> Response[str]:
    """The caller's own jobs, newest first."""
    from functions.video_api.parameters import ListParameters  # pydantic stays off the start path

    event = router.current_event
    wanted = ListParameters.model_validate(event.query_string_parameters)
    page = application().owner.list_jobs(owner_of(event), wanted.to_filter(), wanted.limit, wanted.cursor)
    listed = {"jobs": [job_resource(job) for job in page.jobs], "next_cursor": page.next_cursor}
    return json_answer(listed, headers=polling_headers(*page.jobs))


@router.get("/video/jobs/<job_id>")
@operation(
    name="job",
    summary="All about a job",
    answer="Job",
    answer_headers=["Retry-After"],
    errors=[JobNotFoundError],
)
def get_job(job_id: str) -> Response[str]:
    """All that its owner may know of a job."""
    return job_answer(own_job(job_id, router.current_event))


@router.get("/video/jobs/<job_id>/video")
@operation(
    name="video",
    summary="A signed URL of the job's video, for a short time",
    answer="SignedVideo",
    errors=[JobNotFoundError, VideoMissingError],
)
def get_video(job_id: str) -> Response[str]:
    """Where a player can read the video."""
    job = own_job(job_id, router.current_event)
    signed = application().owner.video(job)
    return json_answer(
        {
            "job_id": job.job_id,
            "video_url": signed.url,
            "expires_at": to_iso(signed.expires_at),
            "size_bytes": signed.size_bytes,
        }
    )


@router.delete("/video/jobs/<job_id>")
@operation(
    name="deleteJob",
    summary="Delete a job that is not running, with its video and results",
    status=204,
    errors=[JobNotFoundError, JobStateError],
)
def delete_job(job_id: str) -> Response[str]:
    """Delete a job with its video and results."""
    application().owner.delete(own_job(job_id, router.current_event))
    return Response(204)


@router.post("/video/jobs/<job_id>/cancel")
@operation(
    name="cancelJob",
    summary="End an open job: it fails with the code cancelled",
    answer="Job",
    errors=[JobNotFoundError, JobStateError],
)
def post_cancel(job_id: str) -> Response[str]:
    """End an open job."""
    job = own_job(job_id, router.current_event)
    return job_answer(application().owner.cancel(job))


@router.post("/video/jobs/<job_id>/retry")
@operation(
    name="retryJob",
    summary="Run a failed job once more",
    answer="Job",
    answer_headers=["Retry-After"],
    errors=[JobNotFoundError, JobStateError, QuotaError],
)
def post_retry(job_id: str) -> Response[str]:
    """Run a failed job once more."""
    job = own_job(job_id, router.current_event)
    return job_answer(application().owner.retry(job))
