"""``GET /video/results/{job_id}``"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from video_jobs.bootstrap import application
from video_jobs.domain.errors import (
    InvalidRequestError,
    JobNotFoundError,
    NoSummaryError,
    ResultsRestartedError,
)
from video_jobs.domain.job import Job, JobStatus, to_iso
from video_jobs.domain.parts import fingerprint_id_of
from video_jobs.domain.results import ResultsPage

from functions.video_api.answers import polling_headers
from functions.video_api.caller import own_job
from functions.video_api.etag import is_matched, weak_etag
from functions.video_api.operations import operation

if TYPE_CHECKING:
    from video_jobs.use_cases.results import ResultsQuery

router = APIGatewayHttpRouter()


@router.get("/video/results/<job_id>")
@operation(
    name="results",
    summary="The results of a completed job, or those known so far (partial=true), page by page",
    query="ResultsParameters",
    request_headers={"If-None-Match": 1000},
    answer="Results",
    answer_headers=["ETag", "Retry-After"],
    errors=[JobNotFoundError, NoSummaryError, InvalidRequestError, ResultsRestartedError],
)
def get_results(job_id: str) -> Response[str]:
    """The results, or as many frames of them as fit an answer."""
    from functions.video_api.parameters import ResultsParameters  # pydantic stays off the start path

    event = router.current_event
    parameters = ResultsParameters.model_validate(event.query_string_parameters)
    query, job = parameters.to_query(), own_job(job_id, event)
    known_tags = event.headers.get("if-none-match")
    if parameters.partial:
        return partial_answer(job, query, known_tags)
    tag = weak_etag(job.job_id, job.status, job.output and job.output.version, job.updated_at, query)
    if job.status is JobStatus.COMPLETED and is_matched(known_tags, tag):
        return Response(304, headers={"ETag": tag})
    page = application().results.read(job, query)
    return Response(200, "application/json", to_json(job, page), {"ETag": tag})


def partial_answer(job: Job, query: ResultsQuery, known_tags: str | None) -> Response[str]:
    """What is known of the results of a job that need not be completed."""
    tag = partial_tag(job, job.progress.parts_done, query)
    if job.status is not JobStatus.FAILED and is_matched(known_tags, tag):
        return Response(304, headers={"ETag": tag, **polling_headers(job)})
    found = application().partial_results.read(job, query)
    headers = {"ETag": partial_tag(found.job, found.parts, query), **polling_headers(found.job)}
    return Response(200, "application/json", to_json(found.job, found.page), headers)


def partial_tag(job: Job, parts: int, query: ResultsQuery) -> str:
    """A tag that changes with each further part, and with the end of the job, but not with its lease."""
    return weak_etag("partial", job.job_id, job.output, fingerprint_id_of(job), parts, query)


def to_json(job: Job, page: ResultsPage) -> str:
    """The answer; frames and tracks are copied from their files as they are."""
    rest: dict[str, str | bool | None] = {
        "job_id": job.job_id,
        "created_at": to_iso(job.created_at),
        "updated_at": to_iso(job.updated_at),
        "next_cursor": page.next_cursor,
        "results_url": page.results_url,
        "summary_url": page.summary_url,
        "tracks_url": page.tracks_url,
    }
    rest |= {} if page.complete is None else {"complete": page.complete}
    times = "null" if page.times_json is None else f"[{page.times_json}]"
    tracks = "" if page.tracks_json is None else f'"track_ids":[{page.tracks_json.decode()}],'
    frames = page.frames_json.decode()
    return f'{{"results":[{frames}],"timestamps_ms":{times},{tracks}{json.dumps(rest)[1:]}'
