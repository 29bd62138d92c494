"""What a job used, from the worker that measures it to the job that its owner sees."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from video_jobs.application import VideoJobs
from video_jobs.bindings import Ports
from video_jobs.domain import changes
from video_jobs.domain.errors import TransientError
from video_jobs.domain.job import JobStatus
from video_jobs.domain.usage import Usage
from video_worker.job_worker import Outcome
from video_worker.stop_signal import StopSignal

from functions.video_api.answers import job_resource
from tests.fixtures.make_tiny_mp4 import FRAMES
from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.support import videos
from tests.support.worker_world import World, misbehave, on_frame

PRICE = Decimal("0.36")
"""A second of a worker costs 0.0001 US dollars."""
SIZE = TINY.stat().st_size


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    yield World(tmp_path)
    on_frame().clear()


def priced_app(ports: Ports, rules: Any, price: Decimal | None) -> VideoJobs:
    return VideoJobs(ports, replace(rules, worker_usd_per_hour=price))


def turn(world: World, name: str = "w", price: Decimal | None = PRICE) -> Outcome:
    """What a worker of this price does with the next message."""
    world.app = priced_app(world.app.ports, world.app.rules, price)
    return world.worker(name).run_once()


def shown(world: World) -> Any:
    return job_resource(world.job)["usage"]


def take_seconds(world: World, seconds: float) -> None:
    """Each frame of the pipeline ``misbehave`` takes so long."""
    misbehave(world, lambda _: world.clock.advance(seconds))


def used(seconds: float, frames: int, fetches: int = 1) -> dict[str, Any]:
    return {
        "compute_seconds": seconds,
        "frames": frames,
        "bytes": fetches * SIZE,
        "cost_usd": float(PRICE * Decimal(str(seconds)) / 3600),
    }


def test_a_completed_job_tells_time_frames_bytes_and_cost(world: World) -> None:
    world.submit(TINY, "misbehave", max_frames=10)
    world.clock.advance(100)  # no worker waits with it in the queue
    take_seconds(world, 2.5)
    assert turn(world) is Outcome.COMPLETED
    world.clock.advance(100)
    assert shown(world) == used(25, 10)


def test_without_a_price_all_but_the_cost_is_known(world: World) -> None:
    world.submit(TINY, "misbehave", max_frames=10)
    take_seconds(world, 2.5)
    assert turn(world, price=None) is Outcome.COMPLETED
    assert shown(world) == used(25, 10) | {"cost_usd": None}


def stopped_at_25(world: World) -> None:
    """A first attempt of 25 s that is stopped after 25 frames, two full parts and a half."""
    world.submit(TINY, "misbehave", part_frames=10)
    take_seconds(world, 1)

    def stop(frame_index: int) -> None:
        if frame_index == 24:
            world.stop.request()
            world.stop._over.wait(5)

    on_frame().append(stop)
    assert turn(world) is Outcome.RETURNED
    on_frame().remove(stop)
    world.stop = StopSignal(grace_s=0)


def test_two_attempts_add_up(world: World) -> None:
    stopped_at_25(world)
    first = world.job.usage
    assert first is not None
    assert (first.compute_ms, first.bytes, first.cost_usd) == (25_000, SIZE, Decimal("0.0025"))
    world.clock.advance(7)
    assert turn(world, "other") is Outcome.COMPLETED
    # the second began with the first frame of the third part, so some frames were analysed twice
    assert FRAMES == 40
    assert shown(world) == used(25 + 20, first.frames + 20, fetches=2)
    assert first.frames > 20


def test_the_price_of_each_attempt_counts(world: World) -> None:
    stopped_at_25(world)
    assert turn(world, "cheaper", price=PRICE / 10) is Outcome.COMPLETED
    assert shown(world)["cost_usd"] == 0.0025 + 0.0002


def test_nothing_is_told_while_the_job_goes_on(world: World) -> None:
    stopped_at_25(world)
    assert world.job.status is JobStatus.PENDING
    assert shown(world) is None
    seen: list[Any] = []
    misbehave(world, lambda _: seen.append((world.job.status, shown(world))))
    turn(world)
    assert set(seen) == {(JobStatus.RUNNING, None)}
    assert shown(world) is not None


def test_a_failed_job_tells_what_it_used(world: World, tmp_path: Path) -> None:
    broken = videos.truncated_without_moov(tmp_path)
    world.submit(broken)
    assert turn(world) is Outcome.FAILED
    assert shown(world) == used(0, 0, fetches=0) | {"bytes": broken.stat().st_size}


def test_attempts_that_failed_for_a_time_are_counted(world: World) -> None:
    def fail(frame_index: int) -> None:
        if frame_index == 3:
            raise TransientError("S3 did not answer")

    world.submit(TINY, "misbehave")
    take_seconds(world, 1)
    on_frame().append(fail)
    assert turn(world) is Outcome.RETURNED
    world.clock.advance(60)
    assert turn(world) is Outcome.FAILED
    assert shown(world) == used(8, 6, fetches=2)


def test_a_job_that_no_worker_ran_tells_no_usage(world: World) -> None:
    world.submit(TINY)
    world.app.owner.cancel(world.job)
    assert world.job.status is JobStatus.FAILED
    assert shown(world) is None


def test_a_cancelled_job_tells_what_the_ended_attempts_used(world: World) -> None:
    stopped_at_25(world)
    world.app.owner.cancel(world.job)
    assert shown(world)["compute_seconds"] == 25


def test_what_a_vanished_worker_used_is_not_known(world: World) -> None:
    world.submit(TINY, "misbehave", max_frames=10)
    take_seconds(world, 1)
    gone = changes.claim(world.job, worker_id="gone", lease=timedelta(seconds=50), now=world.clock.now())
    world.jobs.update_status(gone)
    world.clock.advance(51)
    assert turn(world) is Outcome.COMPLETED
    assert (world.job.attempt, shown(world)) == (2, used(10, 10))


def test_an_attempt_that_lost_its_job_counts_nothing(world: World) -> None:
    def lose(frame_index: int) -> None:
        if frame_index == 5:
            world.clock.advance(3600)
            thief = changes.claim(
                world.job, worker_id="thief", lease=timedelta(hours=1), now=world.clock.now()
            )
            world.jobs.update_status(thief)

    misbehave(world, lose)
    world.submit(TINY, "misbehave", max_frames=10)
    assert turn(world) is Outcome.LOST
    assert world.job.usage is None


def test_a_job_that_its_owner_runs_again_counts_on(world: World) -> None:
    def fail(_: int) -> None:
        raise KeyError

    world.submit(TINY, "misbehave", max_frames=10)
    take_seconds(world, 1)
    on_frame().append(fail)
    assert turn(world) is Outcome.FAILED
    assert shown(world) == used(1, 0)
    on_frame().remove(fail)
    world.app.owner.retry(world.job)
    assert shown(world) is None
    world.clock.advance(3600)
    assert turn(world) is Outcome.COMPLETED
    assert shown(world) == used(11, 10, fetches=2)


def test_each_attempt_is_measured_from_its_own_claim(world: World) -> None:
    """One worker, one job after the other."""
    take_seconds(world, 1)
    worker = world.worker()
    for frames in (10, 3):
        world.submit(TINY, "misbehave", max_frames=frames)
        world.clock.advance(1000)
        assert worker.run_once() is Outcome.COMPLETED
        assert world.job.usage == Usage(compute_ms=1000 * frames, frames=frames, bytes=SIZE)
