"""Scale-in protection against an agent on this machine that speaks as the ECS agent does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from video_worker.job_worker import Outcome
from video_worker.scale_in_protection import ScaleInProtection

from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.support.worker_world import World, misbehave, on_frame
from tools.local_stack.loopback_server import HOST, LoopbackServer


class Agent(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__((HOST, 0), AgentHandler)
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.status = 200
        self.answer = b'{"protection": {"ProtectionEnabled": true}}'

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server_port}/api/container-id"


class AgentHandler(BaseHTTPRequestHandler):
    server: Agent

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.heard.append((self.path, json.loads(body)))
        self.send_response(self.server.status)
        self.send_header("content-length", str(len(self.server.answer)))
        self.end_headers()
        self.wfile.write(self.server.answer)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def agent() -> Iterator[Agent]:
    server = Agent()
    with LoopbackServer(server, "agent"):
        yield server


def protection(url: str, log: StringIO | None = None) -> ScaleInProtection:
    logger = Logger(service=f"scale-in-{id(log)}", stream=log or StringIO(), use_rfc3339=True)
    return ScaleInProtection(url, timedelta(hours=11), logger)


def test_protection_is_on_while_a_job_runs(agent: Agent, tmp_path: Path) -> None:
    world = World(tmp_path)
    heard_in_job: list[int] = []
    misbehave(world, lambda _: heard_in_job.append(len(agent.heard)))
    world.submit(TINY, "misbehave", max_frames=2)
    worker = world.worker()
    worker._protection = protection(agent.url)
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
    agent.status, agent.answer = status, answer
    log = StringIO()
    with protection(agent.url, log):
        pass
    assert reason in log.getvalue()


def test_an_agent_that_is_not_there_fails_nothing(agent: Agent) -> None:
    url = agent.url
    agent.server_close()
    with protection(url):
        pass


def test_outside_ecs_nobody_is_asked() -> None:
    with protection(""):
        pass
