"""A service on this machine, over the local twins of AWS, with one worker."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger
from video_jobs.adapters.local_storage import LocalStorage
from video_jobs.adapters.memory import MemoryJobRepository, MemoryQueue
from video_jobs.domain.job import Job
from video_jobs.domain.keys import results_key, video_key
from video_jobs.services.accept_upload import accept_upload
from video_jobs.settings import WorkerSettings
from video_worker.job_worker import JobWorker, WorkerLimits, WorkerPorts
from video_worker.pipeline_service import VideoFilePipelineService
from video_worker.stop_signal import StopSignal

from gpu_worker_image.models.street_demo_training import SHIPPED
from tests.support.clock import ManualClock

SUPPORT = Path(__file__).parent
JOB_ID = "11111111-1111-4111-8111-111111111111"
KEEP = timedelta(days=1)


def settings(folder: str = "hazards", **further: str) -> WorkerSettings:
    return WorkerSettings.from_environment(
        {
            "MODEL_PATH": str(SHIPPED),
            "PLUGINS_DIR": str(SUPPORT / folder / "plugins"),
            "PIPELINES_DIR": str(SUPPORT / folder / "pipelines"),
            **further,
        }
    )


class World:
    """A service on this machine, with one worker."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.jobs = MemoryJobRepository()
        self.storage = LocalStorage(folder / "storage")
        self.queue = MemoryQueue(self.clock)
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        self.stop = StopSignal(grace_s=0)
        self.settings = WorkerSettings.from_environment(
            {
                "MODEL_PATH": "/nowhere",
                "PLUGINS_DIR": str(SUPPORT / "plugins"),
                "PIPELINES_DIR": str(SUPPORT / "pipelines"),
                "WORK_DIR": str(self.temporary),
                "POLL_WAIT_S": "0",
                "MAX_FAILURES": "2",
                "FRAME_THREADS": "1",
            }
        )
        self.pipelines = VideoFilePipelineService.from_settings(self.settings)

    def worker(self, name: str = "w") -> JobWorker:
        ports = WorkerPorts(jobs=self.jobs, storage=self.storage, queue=self.queue, clock=self.clock)
        limits = WorkerLimits(max_crashes=3, keep=KEEP)
        return JobWorker(name, ports, self.pipelines, self.settings, limits, self.stop, Logger())

    def submit(self, video: Path, pipeline_id: str = "count", **options: Any) -> None:
        now = self.clock.now()
        job = Job(
            job_id=JOB_ID,
            owner="ann",
            created_at=now,
            updated_at=now,
            input_path=video_key(JOB_ID),
            pipeline_id=pipeline_id,
            **options,
        )
        self.jobs.save(job)
        self.storage.save_file(job.input_path, video, "video/mp4")
        accept_upload(
            job.input_path,
            None,
            jobs=self.jobs,
            storage=self.storage,
            queue=self.queue,
            clock=self.clock,
            max_upload_bytes=10**9,
            keep=KEEP,
        )

    @property
    def job(self) -> Job:
        job = self.jobs.get_by_id(JOB_ID)
        assert job is not None
        return job

    def results(self) -> bytes:
        found = self.storage.find_file(results_key(JOB_ID))
        assert found is not None
        return self.storage.read_range(found.key, 0, found.size_bytes)


def on_frame() -> list[Callable[[int], None]]:
    """What the tool ``misbehave`` calls for each frame."""
    module = sys.modules.get("video_worker_plugin_counter")
    calls: list[Callable[[int], None]] = [] if module is None else module.on_frame
    return calls


def misbehave(world: World, call: Callable[[int], None]) -> None:
    world.pipelines.fingerprint("misbehave")
    on_frame().append(call)
