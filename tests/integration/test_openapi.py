"""The committed OpenAPI document, the code, the template and the answers agree."""

from __future__ import annotations

import json
import re
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest
from video_jobs.application import VideoJobs
from video_jobs.domain import summary

from functions.video_api import app as video_api
from tests.integration.conftest import answer_of, asked
from tools.local_stack.template import Template
from tools.reference.__main__ import OPENAPI, generated

UNDESCRIBED = {("GET", "/openapi.json"), ("GET", "/docs"), ("OPTIONS", "/{proxy+}")}


@pytest.mark.parametrize("path", generated(), ids=lambda path: path.name)
def test_what_is_generated_is_committed_as_the_code_says(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == generated()[path], "run make docs"


def test_every_route_stands_in_the_document_and_in_the_template() -> None:
    document = json.loads(OPENAPI.read_text(encoding="utf-8"))
    described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    routes = [*video_api.app._static_routes, *video_api.app._dynamic_routes]
    handled = {(str(route.method), _plain(route.rule.pattern)) for route in routes}
    deployed = {(route.method, route.path) for route in Template().routes() if route.method != "ANY"}
    assert described | UNDESCRIBED == handled == deployed


SUMMARY_TYPES = [kind for kind in vars(summary).values() if is_dataclass(kind)]


@pytest.mark.parametrize("kind", SUMMARY_TYPES, ids=lambda kind: kind.__name__)
def test_the_summary_is_described_as_the_worker_writes_it(kind: type) -> None:
    schema = json.loads(OPENAPI.read_text(encoding="utf-8"))["components"]["schemas"][kind.__name__]
    written = [field.name for field in fields(kind)]
    assert list(schema["properties"]) == schema["required"] == written


def _plain(pattern: str) -> str:
    path = re.sub(r"\(\?P<(\w+)>[^)]*\)[^)]*\)", r"{\1}", pattern).removeprefix("^").removesuffix("$")
    return path.replace(".+", "{proxy+}")


def test_the_document_is_served_as_it_lies_and_the_page_shows_it(app: VideoJobs) -> None:
    for path, kind, content in (
        ("/openapi.json", "application/json", OPENAPI.read_text(encoding="utf-8")),
        ("/docs", "text/html; charset=utf-8", None),
    ):
        event = asked("health") | {"rawPath": path}
        event["requestContext"]["http"] |= {"path": path}
        del event["requestContext"]["authorizer"]
        answer = answer_of(event)
        assert (answer["statusCode"], answer["headers"]["Content-Type"]) == (200, kind)
        assert content in (None, answer["body"])
    assert "https://" not in answer["body"]
