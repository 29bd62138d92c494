"""``GET /video/results/{job_id}``"""

from __future__ import annotations

import json

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from video_jobs.bootstrap import aws_services
from video_jobs.domain.job import Job, JobStatus, to_iso
from video_jobs.domain.results import ResultsPage
from video_jobs.services.get_job import get_job
from video_jobs.services.read_results import ResultsLimits, read_results

from functions.video_api.caller import owner_of
from functions.video_api.etag import is_matched, weak_etag

router = APIGatewayHttpRouter()


@router.get("/video/results/<job_id>")
def get_results(job_id: str) -> Response[str]:
    """The results, or as many frames of them as fit an answer."""
    from functions.video_api.parameters import ResultsParameters  # pydantic stays off the start path

    services, event = aws_services(), router.current_event
    query = ResultsParameters.model_validate(event.query_string_parameters).to_query()
    job = get_job(job_id, owner_of(event), jobs=services.jobs)
    tag = weak_etag(job.job_id, job.status, job.output_version, job.updated_at, query)
    if job.status is JobStatus.COMPLETED and is_matched(event.headers.get("if-none-match"), tag):
        return Response(304, headers={"ETag": tag})
    limits = ResultsLimits(services.settings.max_answer_bytes, services.settings.download_expires_s)
    page = read_results(job, query, storage=services.storage, limits=limits)
    return Response(200, "application/json", to_json(job, page), {"ETag": tag})


def to_json(job: Job, page: ResultsPage) -> str:
    """The answer; the frames go in as the bytes that stand in the results file."""
    rest: dict[str, str | None] = {
        "job_id": job.job_id,
        "created_at": to_iso(job.created_at),
        "updated_at": to_iso(job.updated_at),
    }
    rest |= {"next_cursor": page.next_cursor, "results_url": page.results_url}
    return '{"results":[' + page.frames_json.decode() + "]," + json.dumps(rest)[1:]
