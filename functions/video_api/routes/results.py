"""``GET /video/results/{job_id}``"""

from __future__ import annotations

import json

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from video_jobs.bootstrap import aws_services
from video_jobs.domain.job import Job, to_iso
from video_jobs.domain.results import ResultsPage
from video_jobs.services.get_job import get_job
from video_jobs.services.read_results import ResultsLimits, read_results

from functions.video_api.caller import owner_of

router = APIGatewayHttpRouter()


@router.get("/video/results/<job_id>")
def get_results(job_id: str) -> Response[str]:
    """The results, or as many frames of them as fit an answer."""
    services = aws_services()
    job = get_job(job_id, owner_of(router.current_event), jobs=services.jobs)
    limits = ResultsLimits(services.settings.max_answer_bytes, services.settings.download_expires_s)
    cursor = router.current_event.query_string_parameters.get("cursor")
    page = read_results(job, cursor, storage=services.storage, limits=limits)
    return Response(200, "application/json", to_json(job, page))


def to_json(job: Job, page: ResultsPage) -> str:
    """The answer; the frames go in as the bytes that stand in the results file."""
    rest: dict[str, str | None] = {
        "job_id": job.job_id,
        "created_at": to_iso(job.created_at),
        "updated_at": to_iso(job.updated_at),
    }
    if page.next_cursor or page.results_url:
        rest |= {"next_cursor": page.next_cursor, "results_url": page.results_url}
    return '{"results":[' + page.frames_json.decode() + "]," + json.dumps(rest)[1:]
