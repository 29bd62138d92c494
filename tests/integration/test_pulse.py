"""The worker gives signs of life in its loop and during jobs."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path

from video_worker.heartbeat import Heartbeat
from video_worker.job_worker import Outcome

from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.support.worker_world import World, misbehave, on_frame


def test_an_idle_worker_gives_a_sign_each_time_round(tmp_path: Path) -> None:
    signs: list[str] = []
    worker = World(tmp_path).worker(pulse=lambda: signs.append("loop"))
    assert [worker.run_once(), worker.run_once()] == [Outcome.IDLE, Outcome.IDLE]
    assert signs == ["loop", "loop"]


def test_a_worker_gives_signs_during_a_job(tmp_path: Path) -> None:
    world, sign = World(tmp_path), threading.Event()

    def wait_for_a_sign(_frame: int) -> None:
        sign.wait(30)

    misbehave(world, wait_for_a_sign)
    world.submit(TINY, "misbehave", max_frames=1)
    world.settings = type(world.settings).from_environment(
        {"MODEL_PATH": "/nowhere", "WORK_DIR": str(world.temporary), "HEARTBEAT_S": "1", "POLL_WAIT_S": "0"}
    )
    worker = world.worker(heartbeat_type=partial(Heartbeat, on_beat=sign.set))
    assert worker.run_once() is Outcome.COMPLETED
    assert sign.is_set()
    on_frame().clear()
