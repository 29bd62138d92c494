"""``POST /video/quote``: what a job would take, cost and wait."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from video_jobs.bootstrap import application
from video_jobs.domain.errors import InvalidRequestError, VideoTooLargeError
from video_jobs.domain.quotes import HIGH, MEDIAN, LikelyVideo, Quote

from functions.video_api.answers import json_answer
from functions.video_api.body import body_bytes
from functions.video_api.caller import owner_of
from functions.video_api.operations import operation

router = APIGatewayHttpRouter()
_DECIMALS = 3


@router.post("/video/quote")
@operation(
    name="quote",
    summary="What a job would take and cost, and when it would end; nothing is submitted",
    json_bodies=["QuoteRequest"],
    answer="Quote",
    errors=[InvalidRequestError, VideoTooLargeError],
)
def post_quote() -> Response[str]:
    """Say what a job would take."""
    from functions.video_api.requests import QuoteRequest  # pydantic stays off the start path

    event = router.current_event
    owner = owner_of(event)
    request = QuoteRequest.model_validate_json(body_bytes(event))
    options = request.to_submission(owner, None).options
    return json_answer(_resource(application().quote.quote_job(request.video, options)))


def _resource(quote: Quote) -> dict[str, Any]:
    end_s = quote.end_s or {}
    return {
        "compute_seconds": _rounded(quote.compute_s),
        "cost_usd": None if quote.cost_usd is None else float(quote.cost_usd),
        "seconds_to_end": {"p50": _rounded(end_s.get(MEDIAN)), "p95": _rounded(end_s.get(HIGH))},
        "video": None if quote.video is None else _video(quote.video),
        "based_on": {
            "fingerprint": None if quote.speed is None else quote.speed.fingerprint,
            "size_class": None if quote.speed is None else quote.speed.size_class,
            "jobs": 0 if quote.speed is None else quote.speed.sum_of("jobs"),
            "frames": 0 if quote.speed is None else quote.speed.sum_of("frames"),
            "jobs_waiting": quote.queue.waiting,
            "jobs_running": quote.queue.held,
            "workers": quote.queue.workers,
        },
    }


def _video(video: LikelyVideo) -> dict[str, Any]:
    return {
        "size_bytes": None if video.size_bytes is None else round(video.size_bytes),
        "duration_ms": _rounded(video.duration_ms),
        "average_frame_rate": _rounded(video.average_frame_rate),
        "frames": video.frames,
        "assumed": list(video.assumed),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DECIMALS)
