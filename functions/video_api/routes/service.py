"""``GET /health`` and ``GET /video/pipelines``"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from video_jobs.bootstrap import aws_services
from video_jobs.domain.job import DEFAULT_PIPELINE_ID
from video_jobs.domain.pipelines import BUILT_IN

from functions.video_api.caller import owner_of

router = APIGatewayHttpRouter()


@router.get("/health")
def get_health() -> dict[str, Any]:
    """The function runs and has its settings; it asks no other service, so it cannot be made to fail them."""
    aws_services()
    return {"status": "ok"}


@router.get("/video/pipelines")
def get_pipelines() -> dict[str, Any]:
    """What a job may ask for."""
    owner_of(router.current_event)
    return {
        "pipelines": [
            {
                "pipeline_id": pipeline_id,
                "description": BUILT_IN.get(pipeline_id),
                "is_default": pipeline_id == DEFAULT_PIPELINE_ID,
            }
            for pipeline_id in sorted(aws_services().settings.known_pipelines)
        ]
    }
