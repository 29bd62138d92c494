"""A service with one worker: over the local adapters, or over others."""

from __future__ import annotations

import atexit
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

from video_jobs.adapters.local.local_storage import LocalStorage
from video_jobs.application import VideoJobs
from video_jobs.bindings import Ports
from video_jobs.domain.errors import TransientError
from video_jobs.domain.job import Job, JobOptions
from video_jobs.domain.keys import results_key
from video_jobs.domain.rules import Rules
from video_jobs.settings import WorkerSettings
from video_jobs.use_cases.intake import Submission
from video_worker.job_worker import JobWorker
from video_worker.pipeline_service import VideoFilePipelineService
from video_worker.stop_signal import StopSignal
from video_worker.video.open_video import VideoOpener

from gpu_worker_image.models.street_demo_training import SHIPPED
from tests.support.clock import ManualClock

SUPPORT = Path(__file__).parent
OWN_FOLDERS = {name: str(SUPPORT / name[:-4].lower()) for name in ("PLUGINS_DIR", "PIPELINES_DIR")}
HAZARDS = [
    tool["id"]
    for tool in json.loads((SUPPORT / "hazards/plugins/hazard/manifest.json").read_text("utf-8"))["tools"]
]
RULES = Rules(
    known_pipelines={"nope", *HAZARDS, *(path.stem for path in SUPPORT.glob("pipelines/*.json"))},
    max_body_bytes=10**9,
    max_crashes=3,
    keep=timedelta(days=1),
)


@cache
def hazard_folders() -> dict[str, str]:
    """The settings that name the plugin of hazards, and a folder with one pipeline for each of its tools."""
    folder = Path(mkdtemp())
    atexit.register(rmtree, folder)
    for name in HAZARDS:
        node = {"id": name, "plugin_id": "hazard", "tool_id": name}
        ends = {"edges": [], "entry_nodes": [name], "output_nodes": [name]}
        pipeline = {"id": name, "name": name, "description": "For tests.", "nodes": [node], **ends}
        (folder / f"{name}.json").write_text(json.dumps(pipeline), encoding="utf-8")
    return {"PLUGINS_DIR": str(SUPPORT / "hazards/plugins"), "PIPELINES_DIR": str(folder)}


def settings(**further: str) -> WorkerSettings:
    return WorkerSettings.from_environment({"MODEL_PATH": str(SHIPPED)} | hazard_folders() | further)


class World:
    """The application with one worker; all temporary files are in one folder."""

    def __init__(self, folder: Path, app: VideoJobs | None = None) -> None:
        self.clock = ManualClock()
        if app is None:
            ports = Ports.in_memory(self.clock, storage=lambda: LocalStorage(folder / "storage"))
            app = VideoJobs(ports, RULES)
        self.app = app
        self.jobs, self.storage, self.queue = app.ports.jobs, app.ports.storage, app.ports.queue
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        self.stop = StopSignal(grace_s=0)
        self.settings = WorkerSettings.from_environment(
            {
                "MODEL_PATH": "/nowhere",
                **OWN_FOLDERS,
                "WORK_DIR": str(self.temporary),
                "POLL_WAIT_S": "0",
                "MAX_FAILURES": "2",
                "FRAME_THREADS": "1",
            }
        )
        self.pipelines = VideoFilePipelineService.from_settings(self.settings)
        self.job_id = ""

    def worker(self, name: str = "w", **options: Any) -> JobWorker:
        return JobWorker(name, self.app, self.pipelines, self.settings, self.stop, **options)

    def open_with(self, open_video: VideoOpener) -> None:
        """From now on videos are opened with this."""
        self.pipelines = VideoFilePipelineService.from_settings(self.settings, open_video)

    def submit(
        self,
        video: Path,
        pipeline_id: str = "count",
        part_frames: int = 256,
        key: str | None = None,
        **chosen: Any,
    ) -> None:
        """A job whose video was uploaded and looked at."""
        app = VideoJobs(self.app.ports, replace(self.app.rules, part_frames=part_frames))
        options = JobOptions(pipeline_id=pipeline_id, **chosen)
        job, _ = app.intake.submit_form(1, Submission(owner="ann", options=options, idempotency_key=key))
        self.job_id = job.job_id
        self.storage.save_file(job.upload.key, video, "video/mp4")
        self.app.intake.accept_upload(job.upload.key)

    @property
    def job(self) -> Job:
        job = self.jobs.get_by_id(self.job_id)
        assert job is not None
        return job

    @property
    def error_code(self) -> str | None:
        return self.job.error.code if self.job.error else None

    @property
    def error_message(self) -> str:
        return self.job.error.message if self.job.error else ""

    def results(self) -> bytes:
        found = self.storage.find_file(results_key(self.job_id))
        assert found is not None
        return self.storage.read_range(found.key, 0, found.size_bytes)


_TOOLS = {"misbehave": "counter", "choose": "reader"}


def on_frame(pipeline_id: str = "misbehave") -> list[Callable[[int], None]]:
    """What the tool of a pipeline calls for each frame, if it is loaded in this process."""
    module = sys.modules.get(f"video_worker_plugin_{_TOOLS[pipeline_id]}")
    calls: list[Callable[[int], None]] = [] if module is None else module.on_frame
    return calls


def misbehave(world: World, call: Callable[[int], None], pipeline_id: str = "misbehave") -> None:
    world.pipelines.fingerprint(pipeline_id)  # loads the tool
    on_frame(pipeline_id).append(call)


def fail_once_at(world: World, doomed: int, pipeline_id: str = "misbehave") -> None:
    """The analysis fails at this frame, the first time that it comes to it."""
    on_frame(pipeline_id).clear()

    def fail(frame_index: int) -> None:
        if frame_index == doomed:
            on_frame(pipeline_id).clear()
            raise TransientError

    misbehave(world, fail, pipeline_id)
