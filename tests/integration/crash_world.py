"""The service on moto as the crash-point tests play with it: every process in it may die."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from aws_lambda_powertools import Logger
from video_jobs.bootstrap import AwsServices
from video_jobs.domain.job import Job
from video_jobs.domain.keys import results_key, video_key
from video_jobs.services.bury_job import bury_job
from video_jobs.services.reconcile_jobs import reconcile_jobs
from video_jobs.services.submit_job import SubmitOptions, submit_job, submit_video
from video_jobs.settings import WorkerSettings
from video_worker.job_worker import JobWorker, Outcome, WorkerLimits, WorkerPorts
from video_worker.pipeline_service import VideoFilePipelineService
from video_worker.stop_signal import StopSignal

from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.support.clock import ManualClock
from tests.support.worker_world import SUPPORT, on_frame

MAX_CRASHES = 50


class World:
    """The real adapters on moto; every process in it may die."""

    def __init__(self, services: AwsServices, clock: ManualClock, folder: Path) -> None:
        self.services = services
        self.clock = clock
        self.folder = folder
        self.broken = folder / "broken.mp4"
        self.broken.write_bytes(TINY.read_bytes()[:200])
        self.garbage = folder / "garbage.mp4"
        self.garbage.write_bytes(b"no video at all")
        self.settings = WorkerSettings.from_environment(
            {
                "MODEL_PATH": "/nowhere",
                "PLUGINS_DIR": str(SUPPORT / "plugins"),
                "PIPELINES_DIR": str(SUPPORT / "pipelines"),
                "WORK_DIR": str(folder),
                "FRAME_THREADS": "1",
                "POLL_WAIT_S": "0",
            }
        )
        self.pipelines = VideoFilePipelineService.from_settings(self.settings)
        self.limits = replace(services.submit_limits, known_pipelines=frozenset({"count", "misbehave"}))
        self.limits = replace(self.limits, part_frames=2)
        self.stop = StopSignal(grace_s=0)
        self.played: set[str] = set()

    def submit(self, key: str, video: Path | None, pipeline_id: str = "count") -> Job:
        options = SubmitOptions(pipeline_id=pipeline_id, max_frames=6, idempotency_key=key)
        ports = {"jobs": self.services.jobs, "storage": self.services.storage}
        further = {"clock": self.clock, "ids": self.services.ids, "limits": self.limits}
        if video is not None:
            return submit_video(video, "ann", options, **ports, **further)  # type: ignore[arg-type]
        return submit_job(1000, "ann", options, **ports, **further)[0]  # type: ignore[arg-type]

    def upload(self, job: Job, video: Path) -> None:
        self.services.storage.save_file(job.input_path, video, "video/mp4")

    def upload_received(self, job_id: str) -> None:
        self.services.accept_upload(video_key(job_id))

    def work(self) -> Outcome:
        ports = WorkerPorts(
            jobs=self.services.jobs,
            storage=self.services.storage,
            queue=self.services.queue,
            clock=self.clock,
        )
        limits = WorkerLimits(max_crashes=MAX_CRASHES, keep=timedelta(days=1))
        worker = JobWorker("w", ports, self.pipelines, self.settings, limits, self.stop, Logger())
        return worker.run_once()

    def bury(self, job_id: str, generation: int) -> None:
        bury_job(job_id, generation, jobs=self.services.jobs, clock=self.clock, keep=timedelta(days=1))

    def reconcile(self) -> None:
        reconcile_jobs(
            jobs=self.services.jobs,
            queue=self.services.queue,
            storage=self.services.storage,
            clock=self.clock,
            accept=self.services.accept_upload,
            max_crashes=MAX_CRASHES,
            keep=timedelta(days=1),
        )

    def job(self, job_id: str) -> Job | None:
        return self.services.jobs.get_by_id(job_id)

    def settle(self, job_id: str, rounds: int = 4) -> None:
        """What goes on anyway: the event comes again, workers work, reconcile runs, time passes."""
        self.stop = StopSignal(grace_s=0)
        on_frame().clear()
        for _ in range(rounds):
            self.upload_received(job_id)
            while self.work() is not Outcome.IDLE:
                pass
            self.clock.advance(200)
            self.reconcile()

    def results(self, job: Job) -> bytes:
        found = self.services.storage.find_file(results_key(job.job_id), job.output_version)
        assert found is not None
        return self.services.storage.read_range(found.key, 0, found.size_bytes, found.version)
