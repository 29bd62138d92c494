"""The service on moto as the crash-point tests play with it: every process in it may die."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import greenlet
from video_jobs.application import VideoJobs
from video_jobs.bindings import Ports
from video_jobs.domain.job import Job, JobOptions
from video_jobs.domain.keys import video_key
from video_jobs.use_cases.intake import Submission
from video_worker.job_worker import JobWorker, Outcome
from video_worker.stop_signal import StopSignal

from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.support.clock import ManualClock
from tests.support.pretend_source import PretendSource
from tests.support.stored_files import contents_of
from tests.support.worker_world import RULES, World, on_frame

MAX_CRASHES = 50
HELP_FROM_PARTS = 4


class CrashWorld(World):
    """The application on the ports of AWS; a job has parts of two frames, an owner one turn.

    Attributes
    ----------
    another
        Entered while another process than the one that may die has its turn.
    """

    def __init__(self, ports: Ports, clock: ManualClock, folder: Path) -> None:
        rules = replace(RULES, max_crashes=MAX_CRASHES, part_frames=2, running_per_owner=1)
        super().__init__(folder, VideoJobs(ports, rules))
        self.clock = clock
        self.broken = folder / "broken.mp4"
        self.broken.write_bytes(TINY.read_bytes()[:200])
        self.garbage = folder / "garbage.mp4"
        self.garbage.write_bytes(b"no video at all")
        self.source = PretendSource(TINY.read_bytes())
        vars(ports)["source_reader"] = self.source
        self.played: set[str] = set()
        self.another: Callable[[], AbstractContextManager[None]] = nullcontext
        self._resting: list[greenlet.greenlet] = []

    def submission(self, key: str, pipeline_id: str = "count", max_frames: int = 6) -> Submission:
        options = JobOptions(pipeline_id=pipeline_id, max_frames=max_frames)
        return Submission(owner="ann", options=options, idempotency_key=key)

    def submit_form(self, key: str, *chosen: Any) -> Job:
        return self.app.intake.submit_form(1000, self.submission(key, *chosen))[0]

    def submit_source(self, key: str) -> Job:
        """A job whose video is fetched from `source`."""
        return self.app.intake.submit_source("https://source.example/v?s=1", self.submission(key))

    def upload(self, job: Job, video: Path) -> None:
        self.storage.save_file(job.upload.key, video, "video/mp4")

    def upload_received(self, job_id: str) -> None:
        self.app.intake.accept_upload(video_key(job_id))

    def worker(self, name: str = "w", **options: Any) -> JobWorker:
        """A worker; much time passes while it waits for helpers, so that it makes few calls."""
        return super().worker(name, wait=lambda seconds: self.clock.advance(100 * seconds), **options)

    def work(self) -> Outcome:
        return self.worker().run_once()

    def begin(self, work: Callable[[], object]) -> None:
        """Let another process work until it rests."""
        self._switch_to(greenlet.greenlet(work))

    def rest(self) -> None:
        """Called by a process that was begun: stop here until `go_on`."""
        resting = greenlet.getcurrent()
        assert resting.parent is not None
        resting.parent.switch()

    def go_on(self) -> None:
        """Let those that rest work to their end."""
        while self._resting:
            self._switch_to(self._resting.pop())

    def _switch_to(self, process: greenlet.greenlet) -> None:
        process.parent = greenlet.getcurrent()
        with self.another():
            process.switch()
        if not process.dead:
            self._resting.append(process)

    def find(self, job_id: str) -> Job | None:
        return self.jobs.get_by_id(job_id)

    def settle(self, job_id: str, rounds: int = 4) -> None:
        """What goes on anyway: messages and events come again, workers work, reconcile runs, time passes."""
        self.stop = StopSignal(grace_s=0)
        on_frame().clear()
        self.go_on()
        for _ in range(rounds):
            self.app.sources.fetch(job_id)
            self.upload_received(job_id)
            while self.work() is not Outcome.IDLE:
                pass
            self.clock.advance(200)
            self.app.upkeep.reconcile()

    def results_of(self, job: Job) -> bytes:
        """All files of a completed job."""
        contents = contents_of(job, self.storage)
        assert len(contents) == 5
        return b"".join(contents)
