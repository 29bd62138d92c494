"""Several workers in one process: while one is at a frame, or waits, the others take turns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from video_jobs.application import VideoJobs
from video_jobs.domain.job import Progress
from video_jobs.domain.keys import PART_SUFFIX, part_key, parts_prefix
from video_jobs.domain.parts import fingerprint_id_of, run_id
from video_jobs.domain.segments import Segment
from video_worker.heartbeat import Heartbeat
from video_worker.job_worker import JobWorker, Outcome
from video_worker.stop_signal import StopSignal

from tests.support.stored_files import contents_of
from tests.support.worker_world import World, misbehave, on_frame

HOLDER = "holder"


class KilledError(BaseException):
    """The end of a worker's process."""


class StillHeart(Heartbeat):
    """It beats only when somebody says so."""

    def __enter__(self) -> StillHeart:
        return self

    def __exit__(self, *_: object) -> None:
        """There is no thread to end."""


class Crew:
    """A world with one holder, and with helpers that take a turn at each frame of the others.

    A frame takes a second, and after it all hearts beat.

    Attributes
    ----------
    turns
        What the helpers did, without turns in which there was nothing to do.
    frames
        Which worker was at which frame.
    progress
        What the holder told at its beats.
    at_frame
        Further calls, with the worker and the frame.
    pipelines
        Those of single workers, where they differ.
    """

    def __init__(self, folder: Path, helpers: int = 1, help_from_parts: int = 3) -> None:
        folder.mkdir(exist_ok=True)
        self.world = World(folder)
        rules = replace(self.world.app.rules, help_from_parts=help_from_parts)
        self.world.app = VideoJobs(self.world.app.ports, rules)
        self.turns: list[tuple[str, Outcome]] = []
        self.frames: list[tuple[str, int]] = []
        self.progress: list[Progress] = []
        self.at_frame: list[Callable[[str, int], None]] = []
        self.pipelines: dict[str, Any] = {}
        self.idle = [f"helper {number}" for number in range(helpers)]
        self._at_work: list[str] = []
        self._hearts: dict[str, StillHeart] = {}
        self._stops: dict[str, StopSignal] = {}

    def run(self, name: str = HOLDER) -> Outcome:
        """What a worker does with the next message."""
        world, self._stops[name] = self.world, StopSignal(grace_s=0)
        pipelines = self.pipelines.get(name, world.pipelines)
        heart = partial(self._heart, name)
        worker = JobWorker(
            name,
            world.app,
            pipelines,
            world.settings,
            self._stops[name],
            heartbeat_type=heart,
            wait=self._wait,
        )
        with self._working(name), self._taking_turns():
            return worker.run_once()

    def beat(self, name: str) -> None:
        self._hearts[name].beat()

    def stop(self, name: str) -> None:
        self._stops[name].request()
        self._stops[name]._over.wait(5)

    def pass_time(self, seconds: float, *hearts: str) -> None:
        """So much time passes, and only these workers keep what they have."""
        for _ in range(6):
            self.world.clock.advance(seconds / 6)
            for name in hearts:
                self.beat(name)

    @property
    def segments(self) -> list[Segment]:
        job = self.world.job
        run = run_id(job, fingerprint_id_of(job) or "")
        return self.world.app.ports.segments.list_segments(job.job_id, run)

    @property
    def stored_parts(self) -> list[str]:
        keys = self.world.storage.list_keys(parts_prefix(self.world.job_id))
        return [key for key in keys if key.endswith(PART_SUFFIX)]

    def part_key(self, number: int) -> str:
        job = self.world.job
        return part_key(job.job_id, run_id(job, fingerprint_id_of(job) or ""), number)

    def files(self) -> list[bytes]:
        """The five files of the completed job."""
        found = contents_of(self.world.job, self.world.storage)
        assert len(found) == 5
        return found

    @contextmanager
    def _working(self, name: str) -> Iterator[None]:
        self._at_work.append(name)
        try:
            yield
        finally:
            self._at_work.pop()
            self._hearts.pop(name, None)

    @contextmanager
    def _taking_turns(self) -> Iterator[None]:
        """The pipeline ``misbehave`` calls `_frame`, for whichever worker it works."""
        is_first = self._frame not in on_frame()
        if is_first:
            misbehave(self.world, self._frame)
        try:
            yield
        finally:
            if is_first:
                on_frame().remove(self._frame)

    def _heart(self, name: str, *arguments: Any, **options: Any) -> StillHeart:
        self._hearts[name] = StillHeart(*arguments, **options)
        return self._hearts[name]

    def _frame(self, frame_index: int) -> None:
        name = self._at_work[-1]
        self.frames.append((name, frame_index))
        for call in list(self.at_frame):
            call(name, frame_index)
        self._pass_turn(1)

    def _wait(self, seconds: float) -> None:
        self._pass_turn(max(seconds, 1))

    def _pass_turn(self, seconds: float) -> None:
        self.world.clock.advance(seconds)
        for heart in list(self._hearts.values()):
            heart.beat()
        if HOLDER in self._hearts:
            self.progress.append(self._hearts[HOLDER].progress)
        if self.idle:
            self._turn_of(self.idle.pop(0))

    def _turn_of(self, name: str) -> None:
        try:
            outcome = self.run(name)
        except KilledError:
            self.turns.append((name, Outcome.LOST))
            return
        self.idle.append(name)
        if outcome is not Outcome.IDLE:
            self.turns.append((name, outcome))
