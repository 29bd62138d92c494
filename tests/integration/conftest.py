"""The functions in this process, with the environment that the template gives them.

`app` is on local adapters, which tests/contract proves equal to AWS. `services` is on moto, for tests in
which AWS itself is the claim, and for the calls that test_permissions compares with the policies.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from video_jobs import bootstrap
from video_jobs.adapters.webhook_http import HttpsWebhookTransport
from video_jobs.application import VideoJobs
from video_jobs.bindings import Ports

from functions.video_api import app as video_api
from tests.support.aws import REGION, Resources, create_resources
from tests.support.clock import ManualClock
from tests.support.recorded_calls import RecordedCalls
from tests.support.source_server import SourceServer
from tests.support.webhook_receiver import WebhookReceiver
from tools.local_stack.development_issuer import DevelopmentIssuer
from tools.local_stack.function_host import LocalContext
from tools.local_stack.template import Template

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
def clock() -> ManualClock:
    """A day after the jobs of `job_states` were made."""
    clock = ManualClock()
    clock.time = datetime(2026, 3, 2, tzinfo=UTC)
    return clock


@pytest.fixture
def app(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[VideoJobs]:
    """The application of the functions, on local adapters."""
    template = Template()
    template.bind(dict.fromkeys(template.resources, "local") | {"AWS::Region": REGION, "AWS::StackName": "s"})
    set_environment(template, monkeypatch)
    transport = lambda: HttpsWebhookTransport(bootstrap.application().rules.webhook_networks)  # noqa: E731
    ports = Ports.in_memory(clock, webhook_transport=transport)
    monkeypatch.setattr(bootstrap, "aws_ports", lambda _: ports)
    yield from _fresh_application()


@pytest.fixture
def resources(aws: None, monkeypatch: pytest.MonkeyPatch) -> Resources:
    made = create_resources()
    set_environment(made.template, monkeypatch)
    return made


@pytest.fixture
def services(resources: Resources) -> Iterator[VideoJobs]:
    """The application of the functions, on moto."""
    yield from _fresh_application()


def set_environment(template: Template, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in template.functions():
        for variable, value in template.environment(name).items():
            monkeypatch.setenv(variable, value)


def _fresh_application() -> Iterator[VideoJobs]:
    bootstrap.application.cache_clear()
    yield bootstrap.application()
    bootstrap.application.cache_clear()


@pytest.fixture
def context() -> LambdaContext:
    return context_of("function")


def context_of(function: str, request_id: str = "r") -> LambdaContext:
    return cast(LambdaContext, LocalContext(function, 30, request_id))


def invoke(function: str, event: Mapping[str, Any], request_id: str = "r") -> Any:
    """What a function of the template answers to an event."""
    module, _, handler = Template().handler(function).rpartition(".")
    return getattr(import_module(module), handler)(event, context_of(function, request_id))


@pytest.fixture(scope="module")
def issuer() -> Iterator[DevelopmentIssuer]:
    with DevelopmentIssuer() as running:
        yield running


@pytest.fixture
def receiver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebhookReceiver]:
    """A receiver whose certificate is trusted, in a network that is not open."""
    with WebhookReceiver(tmp_path) as running:
        monkeypatch.setenv("SSL_CERT_FILE", str(running.certificate))
        yield running


@pytest.fixture
def source_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SourceServer]:
    """A server of videos whose certificate is trusted."""
    with SourceServer(tmp_path) as running:
        monkeypatch.setenv("SSL_CERT_FILE", str(running.certificate))
        yield running


def load_event(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return event


def asked(name: str, query: dict[str, str] | None = None, owner: str = "local") -> dict[str, Any]:
    """A sample request with another query, of another caller."""
    event = load_event(name) | {"queryStringParameters": query or {}}
    event["requestContext"]["authorizer"]["jwt"]["claims"]["sub"] = owner
    return event


def answer_of(event: dict[str, Any]) -> dict[str, Any]:
    """The API's answer to an event."""
    answer: dict[str, Any] = video_api.lambda_handler(event, context_of("video_api"))
    return answer


def call(name_or_event: str | dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Status and body of the API's answer."""
    answer = answer_of(load_event(name_or_event) if isinstance(name_or_event, str) else name_or_event)
    body = json.loads(answer["body"])
    assert answer["headers"]["Content-Type"] == (
        "application/json" if answer["statusCode"] < 400 else "application/problem+json"
    )
    return answer["statusCode"], body


def logged(caplog: pytest.LogCaptureFixture) -> str:
    """All that was logged, with the keys that Powertools puts beside a message."""
    return caplog.text + "".join(repr(vars(record)) for record in caplog.records)


def assert_refused(app: VideoJobs, event: dict[str, Any], code: str, word: str, status: int = 400) -> None:
    """A wrong request is told what is wrong, and makes no job."""
    answered, problem = call(event)
    assert (answered, problem["code"]) == (status, code)
    assert word in problem["detail"]
    assert app.ports.jobs.list_by_owner("local", 10) == []


def refusal(name_or_event: str | dict[str, Any]) -> tuple[int, str]:
    """Status and code of the API's problem document."""
    status, problem = call(name_or_event)
    return status, problem["code"]
