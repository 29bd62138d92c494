"""The service on moto as the crash-point tests play with it: every process in it may die."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from video_jobs.application import VideoJobs
from video_jobs.bindings import Ports
from video_jobs.domain.job import Job, JobOptions
from video_jobs.domain.keys import video_key
from video_jobs.use_cases.intake import Submission
from video_worker.job_worker import Outcome
from video_worker.stop_signal import StopSignal

from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.support.clock import ManualClock
from tests.support.pretend_source import PretendSource
from tests.support.stored_files import contents_of
from tests.support.worker_world import RULES, World, on_frame

MAX_CRASHES = 50


class CrashWorld(World):
    """The application on the ports of AWS; a job has parts of two frames, an owner one turn."""

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

    def submission(self, key: str, pipeline_id: str = "count") -> Submission:
        options = JobOptions(pipeline_id=pipeline_id, max_frames=6)
        return Submission(owner="ann", options=options, idempotency_key=key)

    def submit_form(self, key: str, pipeline_id: str = "count") -> Job:
        return self.app.intake.submit_form(1000, self.submission(key, pipeline_id))[0]

    def submit_source(self, key: str) -> Job:
        """A job whose video is fetched from `source`."""
        return self.app.intake.submit_source("https://source.example/v?s=1", self.submission(key))

    def upload(self, job: Job, video: Path) -> None:
        self.storage.save_file(job.upload.key, video, "video/mp4")

    def upload_received(self, job_id: str) -> None:
        self.app.intake.accept_upload(video_key(job_id))

    def work(self) -> Outcome:
        return self.worker().run_once()

    def find(self, job_id: str) -> Job | None:
        return self.jobs.get_by_id(job_id)

    def settle(self, job_id: str, rounds: int = 4) -> None:
        """What goes on anyway: messages and events come again, workers work, reconcile runs, time passes."""
        self.stop = StopSignal(grace_s=0)
        on_frame().clear()
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
