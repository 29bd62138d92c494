"""What a run comes to: waits by the size of the owner, hours of workers, and costs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from video_jobs.domain.prices import list_price

from tools.fleet.figures import figures, read
from tools.fleet.model import FleetModel

REGION = "us-east-1"
MACHINES = ("g4dn.xlarge", "fargate")


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which this share of sorted values is; one of the values."""
    return values[min(len(values) - 1, int(share * len(values)))]


def outcome(model: FleetModel) -> dict[str, Any]:
    """The numbers of a run, as JSON knows them."""
    waits: defaultdict[str, list[float]] = defaultdict(list)
    for job in (job for job in model.jobs if job.started_s >= 0):
        waits[job.size].append(job.wait_s)
        waits["all"].append(job.wait_s)
    arrived = sum(job.frames for job in model.jobs if job.arrives_s <= model.env.now)
    minutes = arrived / figures().frames_a_second / 60
    hours = model.worker_s / 3600
    return {
        "jobs": len(model.jobs),
        "waits": {size: _three(sorted(values)) for size, values in sorted(waits.items())},
        "video_minutes": minutes,
        "worker_hours": hours,
        "starts": model.started,
        "usd_a_1000_minutes": {
            machine: cost(machine, hours, len(model.jobs)) / minutes * 1000 for machine in MACHINES
        },
    }


def cost(machine: str, hours: float, jobs: int) -> float:
    """US dollars for the hours of workers and the requests of the jobs, at the list prices."""
    known, price = read("figures.json"), list_price(machine, REGION)
    assert price is not None
    more = 0.0 if machine == "fargate" else known["disk_and_address_usd_per_hour"]["value"]
    return hours * (float(price) + float(more)) + jobs * float(known["requests_usd_a_job"]["value"])


def _three(values: Sequence[float]) -> dict[str, float]:
    return {f"p{round(100 * share)}": round(percentile(values, share), 1) for share in (0.5, 0.95, 0.99)}
