"""The metrics that functions and workers write; alarms, dashboard and docs/operations.md use these names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

Values = Mapping["Metric", float]


class Unit(StrEnum):
    """The units of CloudWatch that are used."""

    COUNT = "Count"
    SECONDS = "Seconds"
    PER_SECOND = "Count/Second"


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric; ``by`` is the dimension that it has besides the service, if it has one."""

    name: str
    unit: Unit
    by: str | None = None


# Written when a job ends. A change that the stream delivers twice is counted twice.
JOBS_COMPLETED = Metric("JobsCompleted", Unit.COUNT)
JOBS_FAILED = Metric("JobsFailed", Unit.COUNT, by="error_code")

# Written each minute by reconcile.
JOBS_REPAIRED = Metric("JobsRepaired", Unit.COUNT)
JOBS_WAITING = Metric("JobsWaiting", Unit.COUNT)
OLDEST_WAIT = Metric("OldestWait", Unit.SECONDS)
LIVE_LEASES = Metric("LiveLeases", Unit.COUNT)
WORKERS_DESIRED = Metric("WorkersDesired", Unit.COUNT)
WORKERS_RUNNING = Metric("WorkersRunning", Unit.COUNT)

# Written by a worker when it claims a job, and when the attempt ends.
QUEUE_WAIT = Metric("QueueWait", Unit.SECONDS)
ATTEMPTS_ENDED = Metric("AttemptsEnded", Unit.COUNT, by="outcome")
ATTEMPT_NUMBER = Metric("AttemptNumber", Unit.COUNT)
FETCH_TIME = Metric("FetchTime", Unit.SECONDS)
ANALYSIS_TIME = Metric("AnalysisTime", Unit.SECONDS)
STORE_TIME = Metric("StoreTime", Unit.SECONDS)
FRAMES = Metric("Frames", Unit.COUNT)
FRAMES_PER_SECOND = Metric("FramesPerSecond", Unit.PER_SECOND)


SERVICE_FAULTS = frozenset(
    (
        "analysis_crashed",
        "dead_letter",
        "job_failed",
        "pipeline_failed",
        "temporarily_unavailable",
        "worker_crashed",
    )
)
"""Reasons of failed jobs for which an operator should look at the service."""

CLIENT_FAULTS = frozenset(
    (
        "cancelled",
        "invalid_mp4",
        "job_too_long",
        "no_frame_chosen",
        "resource_limit",
        "source_bad_redirect",
        "source_forbidden_address",
        "source_interrupted",
        "source_not_found",
        "source_refused",
        "source_too_large",
        "source_too_slow",
        "source_unreachable",
        "unknown_class",
        "unreadable_video",
        "unsupported_option",
        "upload_expired",
        "video_too_large",
    )
)
"""Reasons that lie with the video or its owner."""


def error_label(code: str) -> str:
    """The value of the dimension ``error_code``: each new value would be a further metric that costs."""
    return code if code in SERVICE_FAULTS | CLIENT_FAULTS else "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetNumbers:
    """Work and workers as reconcile sees them each minute; what it cannot see is None and is not written.

    A service without tasks sends no metrics of its own, and an idle queue stops sending them. Therefore
    alarms on jobs that wait and on workers go by these numbers.

    Attributes
    ----------
    waiting
        Jobs that wait for a worker.
    oldest_wait
        For how long the oldest of them has waited.
    held
        Jobs that a worker holds, so live leases.
    desired, running
        Workers that the service is asked for, and those that run.
    """

    waiting: int | None = None
    oldest_wait: timedelta | None = None
    held: int | None = None
    desired: int | None = None
    running: int | None = None

    def values(self) -> Values:
        """The numbers by their metrics."""
        numbers: dict[Metric, float | None] = {
            JOBS_WAITING: self.waiting,
            OLDEST_WAIT: None if self.oldest_wait is None else self.oldest_wait.total_seconds(),
            LIVE_LEASES: self.held,
            WORKERS_DESIRED: self.desired,
            WORKERS_RUNNING: self.running,
        }
        return {metric: number for metric, number in numbers.items() if number is not None}
