"""A worker that ECS wants to replace gives its long job back, and the next one continues."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aws_lambda_powertools import Logger
from video_jobs.domain.errors import FleetError
from video_jobs.domain.fleet import OUTDATED, FleetRecord
from video_jobs.domain.job import JobStatus
from video_worker import runner
from video_worker.heartbeat import Heartbeat
from video_worker.job_worker import Outcome
from video_worker.retirement import Retirement, own_task_definition
from video_worker.scale_in_protection import ScaleInProtection
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.support.worker_world import World, misbehave, on_frame
from tools.local_stack.loopback_server import HOST, LoopbackServer

HOLDER = "reconcile"


class Protection(ScaleInProtection):
    """Granted or refused as a test says."""

    def __init__(self, *, is_granted: bool = True) -> None:
        self.is_granted = is_granted

    def renew(self) -> bool:
        return self.is_granted


def remember(world: World, record: FleetRecord) -> None:
    """What reconcile saw of the service."""
    now = world.clock.now()
    world.app.ports.fleet_records.take(HOLDER, until=now + timedelta(minutes=1), now=now)
    world.app.ports.fleet_records.settle(HOLDER, record)


def retirement(
    world: World, protection: Protection, log: StringIO, task_definition: str | None = "worker:1"
) -> Retirement:
    logger = Logger(service=f"retirement-{id(log)}", stream=log, use_rfc3339=True)
    return Retirement(world.app, task_definition, protection, world.stop, logger)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def log() -> StringIO:
    return StringIO()


def test_a_worker_whose_protection_is_taken_back_gives_its_job_back_and_the_next_continues(
    world: World, log: StringIO
) -> None:
    # GIVEN a worker on a job of six frames in parts of two
    protection = Protection()
    look = retirement(world, protection, log).look
    beats: list[Callable[[], None]] = []

    def heartbeat(*arguments: Any) -> Heartbeat:
        made = Heartbeat(*arguments, on_beat=look)
        beats.append(made._on_beat)
        return made

    def refuse_at_the_fourth_frame(frame: int) -> None:
        protection.is_granted = frame < 3
        beats[0]()

    misbehave(world, refuse_at_the_fourth_frame)
    world.submit(TINY, "misbehave", part_frames=2, max_frames=6)
    # WHEN ECS takes the protection back
    assert world.worker(heartbeat_type=heartbeat).run_once() is Outcome.RETURNED
    on_frame().clear()
    # THEN the job waits for another worker, without a failure, and no new job is taken
    assert (world.job.status, world.job.failures, world.job.crashes) == (JobStatus.PENDING, 0, 0)
    assert world.stop.requested.is_set()
    assert log.getvalue().count("protection refused") == 1
    # AND another worker works on what is left
    frames: list[int] = []
    misbehave(world, frames.append)
    world.stop = type(world.stop)(grace_s=0)
    assert world.worker("other").run_once() is Outcome.COMPLETED
    on_frame().clear()
    assert min(frames) == 2


def test_the_thread_of_the_heartbeat_looks(world: World, log: StringIO) -> None:
    look = retirement(world, Protection(is_granted=False), log).look
    waited: list[bool] = []
    misbehave(world, lambda _: waited.append(world.stop.requested.wait(10)))
    world.submit(TINY, "misbehave", max_frames=1)
    worker = world.worker(heartbeat_type=partial(Heartbeat, on_beat=look))
    worker._pause_s = 0.01
    worker.run_once()
    on_frame().clear()
    assert waited[0]


def test_a_worker_of_a_replaced_release_ends_two_hours_later(world: World, log: StringIO) -> None:
    remember(world, FleetRecord().with_task_definition("worker:2", world.clock.now()))
    old, new = (retirement(world, Protection(), log, f"worker:{number}") for number in (1, 2))
    world.clock.advance(OUTDATED.total_seconds() - 60)
    for one in (old, new):
        one.look()
    assert not world.stop.requested.is_set()
    world.clock.advance(60)
    new.look()
    assert not world.stop.requested.is_set()
    old.look()
    assert world.stop.requested.is_set()
    assert "release replaced" in log.getvalue()


def test_a_worker_that_does_not_know_its_release_is_not_replaced(world: World, log: StringIO) -> None:
    remember(world, FleetRecord().with_task_definition("worker:2", world.clock.now() - 2 * OUTDATED))
    retirement(world, Protection(), log, None).look()
    assert not world.stop.requested.is_set()


def test_the_record_is_read_at_most_once_a_minute_and_may_be_away(
    world: World, log: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[int] = []

    def away() -> FleetRecord:
        reads.append(1)
        raise FleetError("DynamoDB is away")

    monkeypatch.setattr(world.app.ports.fleet_records, "read", away)
    one = retirement(world, Protection(), log)
    for _ in range(13):
        one.look()
        world.clock.advance(10)
    assert len(reads) == 3
    assert not world.stop.requested.is_set()
    assert "DynamoDB is away" in log.getvalue()


class Ecs(LoopbackServer):
    """Answers a task: with one body after the other, then with the last one."""

    def __init__(self, *bodies: bytes) -> None:
        self.asked: list[str] = []
        answers = iter(bodies)

        def answer(request: Request) -> Response:
            self.asked.append(request.path)
            return Response(next(answers, bodies[-1]))

        super().__init__(make_server(HOST, 0, Request.application(answer)), "ecs")


def test_a_task_asks_ecs_what_it_was_started_from(log: StringIO) -> None:
    logger = Logger(service=f"metadata-{id(log)}", stream=log, use_rfc3339=True)
    with Ecs(b'{"TaskARN": "arn", "Family": "video-jobs-worker", "Revision": "7"}') as ecs:
        assert own_task_definition(f"{ecs.url}/v4/id", logger) == "video-jobs-worker:7"
        assert ecs.asked == ["/v4/id/task"]
    assert own_task_definition("", logger) is None
    assert log.getvalue() == ""


@pytest.mark.parametrize("body", [b"", b"no json", b"{}"])
def test_an_answer_that_does_not_tell_is_logged(log: StringIO, body: bytes) -> None:
    logger = Logger(service=f"metadata-{id(log)}", stream=log, use_rfc3339=True)
    with Ecs(body) as ecs:
        assert own_task_definition(f"{ecs.url}/v4/id", logger) is None
    assert "task definition unknown" in log.getvalue()


def test_the_worker_that_the_image_runs_retires(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    # GIVEN a worker as the entry point makes it, on a job that takes longer than five minutes
    monkeypatch.setattr(runner, "application", lambda: world.app)
    waited: list[bool] = []

    def take_long(_: int) -> None:
        world.clock.advance(300)
        waited.append(world.stop.requested.wait(10))

    misbehave(world, take_long)
    world.submit(TINY, "misbehave", max_frames=1)
    granted = b'{"protection": {"ProtectionEnabled": true}}'
    with Ecs(granted, b'{"failure": {"Reason": "DEPLOYMENT_BLOCKED"}}') as agent:
        settings = msgspec.structs.replace(world.settings, ecs_agent_uri=agent.url)
        worker = runner._worker(settings, world.pipelines, world.stop, Logger(service="runner"))
        worker._pause_s = 0.01
        # WHEN ECS refuses to renew the protection THEN the heartbeat tells the worker to stop
        worker.run_once()
    on_frame().clear()
    assert waited[0]
