"""How many workers there should be: a pure function of what was seen and of the decision before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil

LONGEST_LEASE = timedelta(minutes=15)
"""No lease of a job lasts longer without a heartbeat; held jobs are looked for in this window."""

WAKE_PAUSE = timedelta(minutes=1)
"""Uploads start the first worker at most this often."""

OUTDATED = timedelta(hours=2)
"""A worker may finish its job for this long after its release was replaced. CloudFormation waits three
hours for a service to become stable, so the last old worker must have ended before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetLimits:
    """What the operator chose.

    Attributes
    ----------
    max_workers
        Largest number of workers, unless more of them hold jobs already.
    jobs_per_worker
        So many jobs may wait for each worker before another one is started at once.
    longest_wait
        A job that waits longer, while all workers are busy, starts one more worker.
    spare
        A worker is stopped only if fewer were enough for this long.
    strict_order
        Whether all jobs run one after the other; then a second worker would never get one.
    """

    max_workers: int = 4
    jobs_per_worker: int = 5
    longest_wait: timedelta = timedelta(minutes=10)
    spare: timedelta = timedelta(minutes=10)
    strict_order: bool = False

    @property
    def most(self) -> int:
        """The largest number of workers that can be of use."""
        return min(1, self.max_workers) if self.strict_order else self.max_workers


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What was seen of the work.

    Attributes
    ----------
    waiting
        Jobs that wait for a worker; None if the number is missing.
    held
        Workers that hold a job or help with one, so live leases.
    oldest_wait
        For how long the oldest of the waiting jobs has waited.
    in_table
        Jobs that wait in the table, because as many of their owners' jobs as may be are in the queue.
    """

    waiting: int | None
    held: int = 0
    oldest_wait: timedelta = timedelta()
    in_table: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetDecision:
    """How many workers there should be.

    Attributes
    ----------
    raised_at
        When a worker was last added.
    spare_since
        Since when fewer workers have been enough; None if they are not.
    """

    workers: int = 0
    raised_at: datetime | None = None
    spare_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetRecord:
    """What is remembered of the fleet from one decision to the next.

    Attributes
    ----------
    woken_at
        When an upload last tried to start the first worker.
    task_definition, task_definition_since
        What new workers are started from (``family:revision``), and since when.
    """

    decision: FleetDecision = FleetDecision()
    woken_at: datetime | None = None
    task_definition: str | None = None
    task_definition_since: datetime | None = None

    def may_wake(self, now: datetime) -> bool:
        """Whether an upload may start the first worker."""
        rested = self.woken_at is None or now - self.woken_at >= WAKE_PAUSE
        return self.decision.workers == 0 and rested

    def with_task_definition(self, name: str, now: datetime) -> FleetRecord:
        """The record after a look at the service, which starts workers from ``name``."""
        if name == self.task_definition:
            return self
        return replace(self, task_definition=name, task_definition_since=now)

    def has_replaced(self, task_definition: str, now: datetime) -> bool:
        """Whether workers of ``task_definition`` were replaced so long ago that they must end."""
        since = self.task_definition_since
        return self.task_definition != task_definition and since is not None and now - since >= OUTDATED


class FleetAction(StrEnum):
    """What became of one look at the fleet."""

    UNMANAGED = "unmanaged"
    BUSY = "busy"
    KEPT = "kept"
    CHANGED = "changed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class FleetOutcome:
    """What was done, the number of workers that is asked for now if it is known, and why it failed."""

    action: FleetAction
    workers: int | None = None
    reason: str | None = None


def plan_fleet(seen: Workload, before: FleetDecision, limits: FleetLimits, now: datetime) -> FleetDecision:
    """Decide how many workers there should be from now on.

    - Workers are added at once, and taken away one at a time, after fewer were enough for ``limits.spare``.
    - No worker is taken away while a job waits, and none that holds a job.
    - If the number of waiting jobs is missing, the decision before stays.
    - Jobs in the table are part of the backlog, but there are no more workers for it than jobs in the queue
      or held: no worker can take one from the table before one of these has ended.

    Examples
    --------
    >>> noon = datetime(2026, 1, 1, 12)
    >>> plan_fleet(Workload(waiting=12), FleetDecision(), FleetLimits(), noon).workers
    3
    """
    before = replace(before, workers=min(before.workers, max(limits.most, seen.held)))
    if seen.waiting is None:
        wanted = max(before.workers, seen.held)
    else:
        wanted = max(_wanted(seen, seen.waiting, before, limits, now), seen.held)
    if wanted > before.workers:
        return FleetDecision(workers=wanted, raised_at=now)
    if seen.waiting is None:
        return before
    if wanted == before.workers:
        return replace(before, spare_since=None)
    since = before.spare_since or now
    is_spare = now - since >= limits.spare
    return replace(before, workers=before.workers - int(is_spare), spare_since=since)


def _wanted(seen: Workload, waiting: int, before: FleetDecision, limits: FleetLimits, now: datetime) -> int:
    if waiting == 0:
        return 0
    backlog = ceil((waiting + seen.in_table) / limits.jobs_per_worker)
    for_backlog = min(backlog, waiting + seen.held)
    for_oldest = before.workers + int(_waits_too_long(seen, before, limits, now))
    return min(limits.most, max(for_backlog, for_oldest))


def _waits_too_long(seen: Workload, before: FleetDecision, limits: FleetLimits, now: datetime) -> bool:
    """Whether one more worker would help: the others are busy, and the last one that was added, too."""
    all_busy = seen.held >= before.workers
    rested = before.raised_at is None or now - before.raised_at >= limits.longest_wait
    return all_busy and rested and seen.oldest_wait >= limits.longest_wait
