"""The functions in this process, on moto, with the environment that the template gives them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from video_jobs import bootstrap
from video_jobs.bootstrap import AwsServices

from functions.video_api import app as video_api
from tests.support.aws import Resources, create_resources
from tests.support.recorded_calls import RecordedCalls
from tools.local_stack.function_host import LocalContext

EVENTS = Path(__file__).parents[2] / "events"
EVENT_JOB_ID = "0b6c9a5e-5f0e-4c57-9d3b-6a1f2f4a7c11"


@pytest.fixture(scope="session")
def recorded_calls() -> Iterator[RecordedCalls]:
    recorded = RecordedCalls()
    with pytest.MonkeyPatch.context() as monkeypatch:
        recorded.install(monkeypatch)
        yield recorded


@pytest.fixture(autouse=True)
def every_call_is_listed(recorded_calls: RecordedCalls) -> Iterator[None]:
    """No function and no worker asks AWS for what `aws_calls.json` does not list."""
    yield
    assert recorded_calls.forget_unlisted() == set()


@pytest.fixture
def resources(aws: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Resources]:
    made = create_resources()
    for name in made.template.functions():
        for variable, value in made.template.environment(name).items():
            monkeypatch.setenv(variable, value)
    bootstrap.aws_services.cache_clear()
    yield made
    bootstrap.aws_services.cache_clear()


@pytest.fixture
def services(resources: Resources) -> AwsServices:
    return bootstrap.aws_services()


@pytest.fixture
def context() -> LambdaContext:
    return cast(LambdaContext, LocalContext("function", 30))


def load_event(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return event


def call(name_or_event: str | dict[str, Any]) -> tuple[int, dict[str, Any]]:
    event = load_event(name_or_event) if isinstance(name_or_event, str) else name_or_event
    answer = video_api.lambda_handler(event, cast(LambdaContext, LocalContext("video_api", 30)))
    body = json.loads(answer["body"])
    assert answer["headers"]["Content-Type"] == (
        "application/json" if answer["statusCode"] < 400 else "application/problem+json"
    )
    return answer["statusCode"], body
