"""Run jobs of known service times in the local stack, and in the simulation; compare.

The simulation is told when the jobs came, and what the workers took besides the frames, on average.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from random import Random
from statistics import mean

from video_jobs_client import Client
from video_jobs_client.jobs import Job as SubmittedJob

from gpu_worker_image.models.street_demo_training import SHIPPED
from tests.fixtures.make_tiny_mp4 import PATH
from tests.proofs.fleet.plugins.waiter.plugin import FRAME_S
from tools.fleet.figures import figures
from tools.fleet.jobs import Job
from tools.fleet.model import FleetModel, Policies
from tools.fleet.outcome import percentile
from tools.local_stack.stack import LocalStack

TOLERANCE = 0.25
JOBS = 200
WORKERS = (1, 2)
_FOLDER = Path(__file__).parent
_WORKER = {
    "MODEL_PATH": str(SHIPPED),
    "PLUGINS_DIR": str(_FOLDER / "plugins"),
    "PIPELINES_DIR": str(_FOLDER / "pipelines"),
    "FRAME_THREADS": "1",
}


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds: from the first submit to the last end, and the waits of jobs."""

    total_s: float
    mean_wait_s: float
    p95_wait_s: float

    @classmethod
    def of(cls, total_s: float, waits: Sequence[float]) -> Times:
        """From the waits of all jobs."""
        return cls(total_s, mean(waits), percentile(sorted(waits), 0.95))


@dataclass(frozen=True, slots=True)
class Compared:
    """One load with so many workers."""

    workers: int
    jobs: int
    a_job_s: float
    predicted: Times
    seen: Times

    def differences(self) -> dict[str, float]:
        """How far each prediction is from what was seen, as a share of the latter."""
        return {
            name: getattr(self.predicted, name) / getattr(self.seen, name) - 1 for name in Times.__slots__
        }


def compare(workers: int, jobs: int, log_file: Path) -> Compared:
    """Run the load in the local stack, then predict it from when its jobs came."""
    random = Random("fleet check")
    frames = [random.randint(2, 10) for _ in range(jobs)]
    settings = {"PIPELINE_IDS": "wait"}
    with LocalStack(
        log_file=log_file, workers=workers, worker_settings=_WORKER, function_settings=settings
    ) as stack:
        stack.wait_until_ready()
        client = Client(stack.url)
        _submit(client, 1).wait(poll_s=1.0)  # the functions are warm now
        started, jobs_of, arrivals = time.time(), [], []
        for count in frames:
            jobs_of.append(_submit(client, count))
            arrivals.append(time.time() - started)
        job_ids = [job.wait(poll_s=1.0).id for job in jobs_of]
    times = [_times_in(log_file, action) for action in ("job_started", "job_completed")]
    begun, ended = ([one[job_id] - started for job_id in job_ids] for one in times)
    waits = [start - arrival for start, arrival in zip(begun, arrivals, strict=True)]
    a_job_s = _besides(workers, begun, ended, frames)
    predicted = predict(workers, list(zip(arrivals, frames, strict=True)), a_job_s)
    return Compared(workers, jobs, a_job_s, predicted, Times.of(max(ended), waits))


def predict(workers: int, load: Sequence[tuple[float, int]], a_job_s: float) -> Times:
    """What the simulation says of jobs that arrive at a time and have so many frames."""
    jobs = [Job("local", "few", at_s, count, FRAME_S, 256) for at_s, count in load]
    policies = Policies(fixed_workers=workers, figures=replace(figures(), a_job_s=a_job_s))
    FleetModel(jobs, policies).run()
    return Times.of(max(job.ended_s for job in jobs), [job.wait_s for job in jobs])


def _besides(workers: int, begun: Sequence[float], ended: Sequence[float], frames: Sequence[int]) -> float:
    """What a job takes besides its frames, on average: while it runs, and until the worker begins the next.

    Which worker ran which job does not matter for the sums.
    """
    running_s = sum(ended) - sum(begun) - FRAME_S * sum(frames)
    between_s = sum(sorted(begun)[workers:]) - sum(sorted(ended)[:-workers])
    return running_s / len(begun) + between_s / (len(begun) - workers)


def _submit(client: Client, frames: int) -> SubmittedJob:
    return client.analyse(PATH.read_bytes(), pipeline_id="wait", max_frames=frames)


def _times_in(log_file: Path, action: str) -> dict[str, float]:
    """When the workers logged an action, by job."""
    times = {}
    for line in log_file.read_text(encoding="utf-8").splitlines():
        if f'"{action}"' in line and line.startswith("{"):
            entry = json.loads(line)
            if entry.get("action") == action:
                at = datetime.strptime(entry["timestamp"], "%Y-%m-%d %H:%M:%S,%f%z")
                times[entry["job_id"]] = at.timestamp()
    return times
