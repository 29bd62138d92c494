"""``GET /video/summary/{job_id}``"""

from __future__ import annotations

import json

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from video_jobs.bootstrap import application
from video_jobs.domain.errors import JobNotCompletedError, JobNotFoundError, NoSummaryError
from video_jobs.domain.job import Job, to_iso
from video_jobs.domain.results import SummaryPage

from functions.video_api.caller import own_job
from functions.video_api.etag import is_matched, weak_etag
from functions.video_api.operations import operation

router = APIGatewayHttpRouter()


@router.get("/video/summary/<job_id>")
@operation(
    name="summary",
    summary="What was seen in the video of a completed job, and when",
    request_headers={"If-None-Match": 1000},
    answer="JobSummary",
    answer_headers=["ETag"],
    errors=[JobNotFoundError, JobNotCompletedError, NoSummaryError],
)
def get_summary(job_id: str) -> Response[str]:
    """The summary, if it fits an answer, and links to it and to the tracks."""
    event = router.current_event
    job = own_job(job_id, event)
    summary = job.output and job.output.summary
    tag = weak_etag(job.job_id, summary and summary.version, job.updated_at)
    if summary is not None and is_matched(event.headers.get("if-none-match"), tag):
        return Response(304, headers={"ETag": tag})
    page = application().results.read_summary(job)
    return Response(200, "application/json", to_json(job, page), {"ETag": tag})


def to_json(job: Job, page: SummaryPage) -> str:
    """The answer; the summary is copied from its file as it is."""
    rest = {
        "job_id": job.job_id,
        "created_at": to_iso(job.created_at),
        "updated_at": to_iso(job.updated_at),
        "summary_url": page.summary_url,
        "tracks_url": page.tracks_url,
    }
    summary = "null" if page.summary_json is None else page.summary_json.decode()
    return f'{{"summary":{summary},{json.dumps(rest)[1:]}'
