"""``python -m tests.proofs.help_speed [pausing]``: how much faster two workers end a long video than one.

Every worker has one processor core, on which all of its processes run, decoder included.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from video_jobs_client import Client
from video_jobs_client.options import Options
from video_jobs_client.uploads import UploadSettings

from gpu_worker_image.models.street_demo_training import SHIPPED
from tests.fixtures.ffmpeg import run_ffmpeg
from tests.fixtures.make_tiny_mp4 import FRAMES
from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.proofs.report import print_row
from tools.local_stack.stack import LocalStack
from tools.local_stack.workers import Launch, from_source

PART_FRAMES = 64
_ONE_THREAD = {
    "FRAME_THREADS": "1",
    "INFERENCE_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OMP_THREAD_LIMIT": "1",
}
_ON_CORE = "import os, sys; os.sched_setaffinity(0, {int(sys.argv[1])}); os.execv(sys.argv[2], sys.argv[2:])"


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """A video of ``repeats`` times the tiny one, and what is done with it."""

    repeats: int = 60
    pipeline_id: str = "yolo_only"
    frame_stride: int = 1
    part_frames: int = PART_FRAMES
    worker_settings: Mapping[str, str] = field(default_factory=dict)


_SUPPORT = Path(__file__).parents[1] / "support"
PAUSING = Load(
    worker_settings={
        "PLUGINS_DIR": str(_SUPPORT / "pausing/plugins"),
        "PIPELINES_DIR": str(_SUPPORT / "pausing/pipelines"),
    }
)
"""A pipeline that waits at each frame and needs hardly any processor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """How long a job took from its claim to its end, and until a helper claimed the first segment."""

    workers: int
    seconds: float
    first_help_s: float | None
    helped: int
    results: bytes


def made(load: Load, folder: Path) -> Path:
    """The video."""
    path = folder / "long.mp4"
    run_ffmpeg("-stream_loop", str(load.repeats - 1), "-i", str(TINY), "-c", "copy", str(path))
    return path


def measured(load: Load, video: bytes, workers: int, log_file: Path) -> Speed:
    """One job on the local stack."""
    cores = cycle(sorted(os.sched_getaffinity(0)))

    def on_one_core(settings: Mapping[str, str], folder: Path) -> Launch:
        launch = from_source(settings, folder)
        command = (sys.executable, "-c", _ON_CORE, str(next(cores)), *launch.command)
        return replace(launch, command=command)

    stack = LocalStack(
        log_file=log_file,
        workers=workers,
        launcher=on_one_core,
        worker_settings={"MODEL_PATH": str(SHIPPED), **_ONE_THREAD, **load.worker_settings},
        function_settings={"PART_FRAMES": str(load.part_frames)},
    )
    with stack:
        stack.wait_until_ready()
        client = Client(stack.url)
        chosen: Options = {"pipeline_id": load.pipeline_id, "frame_stride": load.frame_stride}
        job = client.analyse(video, upload=UploadSettings(method="form"), **chosen).wait(poll_s=2)
        results = b"\n".join(json.dumps(frame.result).encode() for frame in job.frames())
    return _speed(workers, results, list(_events(log_file)))


def _events(log_file: Path) -> Iterator[tuple[str, datetime]]:
    """What the workers have logged: the word and the time."""
    for line in log_file.read_text("utf-8", "replace").splitlines():
        if line.startswith("{"):
            entry: dict[str, Any] = json.loads(line)
            if "action" in entry:
                yield entry["action"], _time(entry["timestamp"])


def _time(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S,%f%z")


def _speed(workers: int, results: bytes, events: list[tuple[str, datetime]]) -> Speed:
    first: dict[str, datetime] = {}
    for word, at in events:
        first.setdefault(word, at)
    started, helped = first["job_started"], first.get("help_started")
    return Speed(
        workers=workers,
        seconds=(first["job_completed"] - started).total_seconds(),
        first_help_s=None if helped is None else (helped - started).total_seconds(),
        helped=sum(word == "help_ended" for word, _ in events),
        results=results,
    )


def one_and_two(load: Load, folder: Path) -> tuple[Speed, Speed]:
    """The same job by one worker and by two."""
    video = made(load, folder).read_bytes()
    one = measured(load, video, 1, folder / "one.log")
    return one, measured(load, video, 2, folder / "two.log")


def main(kind: str = "real") -> None:
    """Print the figures."""
    load = PAUSING if kind == "pausing" else Load()
    with TemporaryDirectory() as folder:
        speeds = one_and_two(load, Path(folder))
    for speed in speeds:
        print_row(
            {
                "workers": speed.workers,
                "s": speed.seconds,
                "first help s": speed.first_help_s,
                "segments of helpers": speed.helped,
            }
        )
    one, two = speeds
    print(f"{load.repeats * FRAMES} pictures: {two.seconds / one.seconds:.2f} of one worker's time")


if __name__ == "__main__":
    main(*sys.argv[1:])
