"""``GET /video/results/{job_id}``"""

from __future__ import annotations

import json

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from video_jobs.bootstrap import application
from video_jobs.domain.errors import InvalidRequestError, JobNotFoundError, NoSummaryError
from video_jobs.domain.job import Job, JobStatus, to_iso
from video_jobs.domain.results import ResultsPage

from functions.video_api.caller import own_job
from functions.video_api.etag import is_matched, weak_etag
from functions.video_api.operations import operation

router = APIGatewayHttpRouter()


@router.get("/video/results/<job_id>")
@operation(
    name="results",
    summary="The results of a completed job, whole or a page of them",
    query="ResultsParameters",
    request_headers={"If-None-Match": 1000},
    answer="Results",
    answer_headers=["ETag"],
    errors=[JobNotFoundError, NoSummaryError, InvalidRequestError],
)
def get_results(job_id: str) -> Response[str]:
    """The results, or as many frames of them as fit an answer."""
    from functions.video_api.parameters import ResultsParameters  # pydantic stays off the start path

    event = router.current_event
    query = ResultsParameters.model_validate(event.query_string_parameters).to_query()
    job = own_job(job_id, event)
    tag = weak_etag(job.job_id, job.status, job.output and job.output.version, job.updated_at, query)
    if job.status is JobStatus.COMPLETED and is_matched(event.headers.get("if-none-match"), tag):
        return Response(304, headers={"ETag": tag})
    page = application().results.read(job, query)
    return Response(200, "application/json", to_json(job, page), {"ETag": tag})


def to_json(job: Job, page: ResultsPage) -> str:
    """The answer; frames and tracks are copied from their files as they are."""
    rest: dict[str, str | None] = {
        "job_id": job.job_id,
        "created_at": to_iso(job.created_at),
        "updated_at": to_iso(job.updated_at),
        "next_cursor": page.next_cursor,
        "results_url": page.results_url,
        "summary_url": page.summary_url,
        "tracks_url": page.tracks_url,
    }
    times = "null" if page.times_json is None else f"[{page.times_json}]"
    tracks = "" if page.tracks_json is None else f'"track_ids":[{page.tracks_json.decode()}],'
    frames = page.frames_json.decode()
    return f'{{"results":[{frames}],"timestamps_ms":{times},{tracks}{json.dumps(rest)[1:]}'
