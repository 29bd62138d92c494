"""Which quota of AWS is met first, and at how many jobs a day (quotas.json)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import exp, log
from typing import Any

from tools.fleet.figures import figures, read
from tools.fleet.model import FleetModel

Row = dict[str, Any]

VCPUS = 4
"""Of a ``g4dn.xlarge``."""

HEARTBEAT_S = 10
"""The default of ``HEARTBEAT_S``."""

_CALL_S = 0.05
"""How long a function takes for a call of the API; some milliseconds of it are its own (docs/load.md)."""

_EVENTS_A_JOB = 4
"""Uploads, changes of the job: functions that run once for a job, for about a tenth of a second each."""

_EVENT_S = 0.1
_WRITES_A_JOB = 8
"""From submit to the end, without heartbeats."""

_UNITS_A_WRITE = 4
"""A new due time removes an item of up to 2 kB from the index, and adds one."""

_SHARDS = 4
_FILES_A_JOB = 6
"""Stored at the end; a job also reads its video, and each part once."""


def uses(model: FleetModel) -> dict[str, float]:
    """The most of each kind that a run needed at a time."""
    busy = max(sample.busy for sample in model.samples)
    submits = _busiest_minute(model) / 60
    polls = max(sample.open_jobs for sample in model.samples) / _poll_s()
    parts = busy / (figures().mean_frame_s * figures().part_frames)
    beats = busy / HEARTBEAT_S
    return {
        "vcpus": VCPUS * max(sample.workers for sample in model.samples),
        "workers": max(sample.workers for sample in model.samples),
        "submits_a_second": submits,
        "polls_a_second": polls,
        "requests_a_second": submits + polls,
        "executions": (submits + polls) * _CALL_S + submits * _EVENTS_A_JOB * _EVENT_S,
        "queue_calls_a_second": max(beats, submits),
        "in_flight": busy,
        "shard_writes_a_second": (beats + submits * _WRITES_A_JOB) * _UNITS_A_WRITE / _SHARDS,
        "puts_a_second": parts + submits * _FILES_A_JOB,
        "gets_a_second": parts + submits,
    }


def met(rows: Sequence[Row]) -> list[Row]:
    """Each quota, what the runs of different sizes used of it, and from how many jobs a day it is met."""
    quotas: list[Row] = read("quotas.json")
    for quota in quotas:
        used = {row["jobs_a_day"]: row["uses"][quota["use"]] for row in rows}
        quota |= {"used": list(used.values()), "met_at": _met_at(used, quota["limit"])}
    return sorted(quotas, key=lambda quota: quota["met_at"] or float("inf"))


def _met_at(used: Mapping[int, float], limit: float) -> float | None:
    """Jobs a day, on straight lines between the runs, both axes logarithmic; None if no run meets it."""
    before = (1.0, 0.001)
    for (jobs, use), (more_jobs, more_use) in pairwise([before, *used.items()]):
        if more_use >= limit:
            share = log(limit / use) / log(more_use / use) if use > 0 else 1.0
            return exp(log(jobs) + max(0.0, share) * log(more_jobs / jobs))
    return None


def _busiest_minute(model: FleetModel) -> int:
    """The most jobs that came in one minute."""
    minutes: dict[int, int] = {}
    for job in model.jobs:
        minute = int(job.arrives_s // 60)
        minutes[minute] = minutes.get(minute, 0) + 1
    return max(minutes.values())


def _poll_s() -> float:
    value: float = read("figures.json")["poll_s"]["value"]
    return value
