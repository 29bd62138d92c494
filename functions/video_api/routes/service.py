"""What is asked of the service itself: ``/video/pipelines``, ``/health``, ``/openapi.json``, ``/docs``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from video_jobs.bootstrap import application
from video_jobs.domain.job import DEFAULT_PIPELINE_ID
from video_jobs.domain.pipelines import BUILT_IN
from video_jobs.domain.text_engines import PPOCR_SCRIPTS, TEXT_ENGINES

from functions.video_api.caller import owner_of
from functions.video_api.operations import operation

router = APIGatewayHttpRouter()
_FOLDER = Path(__file__).parents[1]
_PAGE_POLICY = "default-src 'none'; connect-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


@router.get("/video/pipelines")
@operation(
    name="pipelines", summary="The pipelines and text engines that a job may ask for", answer="Pipelines"
)
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
            for pipeline_id in sorted(application().rules.known_pipelines)
        ],
        "text_engines": _text_engines(),
    }


def _text_engines() -> list[dict[str, Any]]:
    languages = sorted(application().rules.known_languages)
    further = {"ppocr": {"scripts": list(PPOCR_SCRIPTS)}, "tesseract": {"languages": languages}}
    return [{"id": engine, "name": name, **further[engine]} for engine, name in TEXT_ENGINES.items()]


@router.get("/health")
@operation(name="health", summary="Whether the service answers", answer="Health", needs_token=False)
def get_health() -> dict[str, Any]:
    """The function runs and has its settings; it asks no other service, so it cannot be made to fail them."""
    application()
    return {"status": "ok"}


@router.route("/.+", method="OPTIONS")
def allow_preflight() -> Response[str]:
    """A browser asks whether it may call; API Gateway adds the headers that tell it."""
    return Response(204)


@router.get("/openapi.json")
def get_openapi() -> Response[str]:
    """The committed document, as it lies."""
    return Response(200, "application/json", (_FOLDER / "openapi.json").read_text(encoding="utf-8"))


@router.get("/docs")
def get_docs() -> Response[str]:
    """A page that shows the document; it needs nothing from elsewhere."""
    page = (_FOLDER / "docs.html").read_text(encoding="utf-8")
    return Response(200, "text/html; charset=utf-8", page, {"Content-Security-Policy": _PAGE_POLICY})
