"""Scale-in protection against an agent on this machine that speaks as the ECS agent does."""

from __future__ import annotations

import json
from collections.abc import Iterator
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
from tests.support.clock import ManualClock
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


def log_into(log: StringIO) -> Logger:
    return Logger(service=f"scale-in-{id(log)}", stream=log, use_rfc3339=True)


def protection(url: str, log: StringIO | None = None, clock: ManualClock | None = None) -> ScaleInProtection:
    return ScaleInProtection(url, clock or ManualClock(), log_into(log or StringIO()))


PATH = "/api/container-id/task-protection/v1/state"
ON = (PATH, {"ProtectionEnabled": True, "ExpiresInMinutes": 15})
OFF = (PATH, {"ProtectionEnabled": False})
REFUSED = b'{"failure": {"Reason": "DEPLOYMENT_BLOCKED"}}'


def test_protection_is_on_while_a_job_runs(agent: Agent, tmp_path: Path) -> None:
    world = World(tmp_path)
    heard_in_job: list[int] = []
    misbehave(world, lambda _: heard_in_job.append(len(agent.heard)))
    world.submit(TINY, "misbehave", max_frames=2)
    worker = world.worker()
    worker._protection = protection(f"{agent.url}/api/container-id")
    assert worker.run_once() is Outcome.COMPLETED
    on_frame().clear()
    assert agent.heard == [ON, OFF]
    assert heard_in_job == [1, 1]
    assert worker.run_once() is Outcome.IDLE
    assert len(agent.heard) == 2


def test_protection_is_renewed_long_before_it_ends_and_not_with_each_heartbeat(agent: Agent) -> None:
    clock = ManualClock()
    protected = protection(f"{agent.url}/api/container-id", clock=clock)
    assert protected.renew()  # no job, no protection
    assert agent.heard == []
    with protected:
        for _ in range(61):
            assert protected.renew()
            clock.advance(10)
        assert agent.heard == [ON, ON, ON]  # at once, and after five and ten minutes
    assert protected.renew()
    assert agent.heard == [ON, ON, ON, OFF]


@pytest.mark.parametrize("status", [200, 400])
def test_ecs_may_take_protection_back_but_only_what_it_had_granted(agent: Agent, status: int) -> None:
    clock, granted = ManualClock(), agent.answer
    protected = protection(agent.url, clock=clock)
    with protected:
        clock.advance(300)
        agent.answer = Response(REFUSED, status)
        assert not protected.renew()
        assert protected.renew()  # it is not asked again at once
    # AND a task that is refused from the start goes on, and may be granted it later
    with protected:
        clock.advance(300)
        assert protected.renew()
        agent.answer = granted
        clock.advance(300)
        assert protected.renew()
        agent.answer = Response(REFUSED, status)
        clock.advance(300)
        assert not protected.renew()


@pytest.mark.parametrize(
    ("status", "answer", "reason"),
    [
        (500, b"", "JSONDecodeError"),
        (500, b"{}", "status 500"),
        (200, b"not json", "JSONDecodeError"),
        (200, REFUSED, "DEPLOYMENT_BLOCKED"),
    ],
)
def test_an_agent_that_refuses_fails_nothing(agent: Agent, status: int, answer: bytes, reason: str) -> None:
    agent.answer = Response(answer, status)
    log = StringIO()
    with protection(agent.url, log):
        pass
    assert reason in log.getvalue()


@pytest.mark.parametrize("status", [500, 503])
def test_an_agent_that_does_not_answer_takes_nothing_back(agent: Agent, status: int) -> None:
    clock = ManualClock()
    protected = protection(agent.url, clock=clock)
    with protected:
        agent.answer = Response(b"", status)
        clock.advance(300)
        assert protected.renew()


def test_without_an_agent_nothing_fails_and_outside_ecs_nobody_is_asked() -> None:
    with Agent() as gone:
        url = gone.url
    for address in (url, ""):
        clock = ManualClock()
        protected = protection(address, clock=clock)
        with protected:
            clock.advance(300)
            assert protected.renew()
