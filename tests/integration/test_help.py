"""A long video that several workers compute together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from video_jobs.application import VideoJobs
from video_jobs.domain.job import JobStatus
from video_jobs.domain.keys import parts_prefix
from video_worker.job_worker import JobWorker, Outcome

from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.support.worker_world import World, misbehave, on_frame


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.app = VideoJobs(world.app.ports, replace(world.app.rules, help_from_parts=3))
    return world


def alone(tmp_path: Path) -> bytes:
    (tmp_path / "alone").mkdir()
    world = World(tmp_path / "alone")
    world.submit(TINY, "misbehave", part_frames=2)
    assert world.worker().run_once() is Outcome.COMPLETED
    return world.results()


def test_two(world: World, tmp_path: Path) -> None:
    expected = alone(tmp_path)
    world.submit(TINY, "misbehave", part_frames=2)
    helper = world.worker("h")
    busy = []
    seen = []

    def at_frame(frame: int) -> None:
        world.clock.advance(1)
        if not busy:
            busy.append(1)
            seen.append((frame, helper.run_once()))
            busy.clear()

    misbehave(world, at_frame)
    assert world.worker().run_once() is Outcome.COMPLETED
    on_frame().clear()
    print(seen)
    assert world.results() == expected
    assert 0
