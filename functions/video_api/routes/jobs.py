"""``/video/jobs``: list, read, cancel, retry, delete."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from video_jobs.bootstrap import application

from functions.video_api.answers import job_answer, job_resource, json_answer
from functions.video_api.caller import own_job, owner_of

router = APIGatewayHttpRouter()


@router.get("/video/jobs")
def get_job_list() -> Response[str]:
    """The caller's own jobs, newest first."""
    from functions.video_api.parameters import ListParameters  # pydantic stays off the start path

    event = router.current_event
    wanted = ListParameters.model_validate(event.query_string_parameters)
    page = application().owner.list_jobs(owner_of(event), wanted.to_filter(), wanted.limit, wanted.cursor)
    return json_answer({"jobs": [job_resource(job) for job in page.jobs], "next_cursor": page.next_cursor})


@router.get("/video/jobs/<job_id>")
def get_job(job_id: str) -> Response[str]:
    """All that its owner may know of a job."""
    return job_answer(own_job(job_id, router.current_event))


@router.post("/video/jobs/<job_id>/cancel")
def post_cancel(job_id: str) -> Response[str]:
    """End an open job."""
    job = own_job(job_id, router.current_event)
    return job_answer(application().owner.cancel(job))


@router.post("/video/jobs/<job_id>/retry")
def post_retry(job_id: str) -> Response[str]:
    """Run a failed job once more."""
    job = own_job(job_id, router.current_event)
    return job_answer(application().owner.retry(job))


@router.delete("/video/jobs/<job_id>")
def delete_job(job_id: str) -> Response[str]:
    """Delete a job with its video and results."""
    application().owner.delete(own_job(job_id, router.current_event))
    return Response(204)
