"""Scale-in protection against an agent on this machine that speaks as the ECS agent does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from video_worker.job_worker import Outcome
from video_worker.scale_in_protection import ScaleInProtection
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.support.worker_world import World, misbehave, on_frame
from tools.local_stack.loopback_server import HOST, LoopbackServer


class Agent(LoopbackServer):
    """Remembers what it heard and answers as it is told."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.answer = Response(b'{"protection": {"ProtectionEnabled": true}}')
        super().__init__(make_server(HOST, 0, Request.application(self._hear)), "agent")

    def _hear(self, request: Request) -> Response:
        assert request.method == "PUT"
        self.heard.append((request.path, json.loads(request.get_data())))
        return self.answer


@pytest.fixture
def agent() -> Iterator[Agent]:
    with Agent() as running:
        yield running


def protection(url: str, log: StringIO | None = None) -> ScaleInProtection:
    logger = Logger(service=f"scale-in-{id(log)}", stream=log or StringIO(), use_rfc3339=True)
    return ScaleInProtection(url, timedelta(hours=11), logger)


def test_protection_is_on_while_a_job_runs(agent: Agent, tmp_path: Path) -> None:
    world = World(tmp_path)
    heard_in_job: list[int] = []
    misbehave(world, lambda _: heard_in_job.append(len(agent.heard)))
    world.submit(TINY, "misbehave", max_frames=2)
    worker = world.worker()
    worker._protection = protection(f"{agent.url}/api/container-id")
    assert worker.run_once() is Outcome.COMPLETED
    on_frame().clear()
    path = "/api/container-id/task-protection/v1/state"
    on = {"ProtectionEnabled": True, "ExpiresInMinutes": 660}
    assert agent.heard == [(path, on), (path, {"ProtectionEnabled": False})]
    assert heard_in_job == [1, 1]
    assert worker.run_once() is Outcome.IDLE
    assert len(agent.heard) == 2


@pytest.mark.parametrize(
    ("status", "answer", "reason"),
    [
        (500, b"", "status 500"),
        (200, b"not json", "JSONDecodeError"),
        (200, b'{"failure": {"Reason": "DEPLOYMENT_BLOCKED"}}', "DEPLOYMENT_BLOCKED"),
    ],
)
def test_an_agent_that_refuses_fails_nothing(agent: Agent, status: int, answer: bytes, reason: str) -> None:
    agent.answer = Response(answer, status)
    log = StringIO()
    with protection(agent.url, log):
        pass
    assert reason in log.getvalue()


def test_without_an_agent_nothing_fails_and_outside_ecs_nobody_is_asked() -> None:
    with Agent() as gone:
        url = gone.url
    for address in (url, ""):
        with protection(address):
            pass
