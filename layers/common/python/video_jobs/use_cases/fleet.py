"""Use cases that set the number of workers.

Two functions may call them at once, and ECS has no compare-and-set. Therefore the number is set only by who
holds the lease of the fleet's record, which also keeps the decision before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from video_jobs.domain.changes import QUEUE_RETENTION, RECONCILE_GRACE
from video_jobs.domain.errors import ConflictError, FleetError, TransientError
from video_jobs.domain.fleet import (
    LONGEST_LEASE,
    FleetAction,
    FleetOutcome,
    FleetRecord,
    Workload,
    plan_fleet,
)
from video_jobs.domain.metrics import FleetNumbers
from video_jobs.domain.turns import WAITING_PATIENCE
from video_jobs.fleet_ports import WorkerService
from video_jobs.use_cases.base import UseCases

LEASE = timedelta(minutes=1)
"""Longer than a function may run, so that no function sets the number after its lease has ended."""

_JOBS_COUNTED = 1000
_DAY = timedelta(days=1)

Decide = Callable[[FleetRecord, WorkerService, datetime], FleetRecord]


class Fleet(UseCases):
    """Look at the work, and ask for as many workers as it needs.

    If a call to AWS fails, the number of workers stays as it is, and the outcome says why.
    """

    def resize(self) -> FleetOutcome:
        """Set the number of workers for the work that there is, and write the numbers that were seen.

        The work is written first: alarms on waiting jobs must not depend on ECS.
        """
        return self._unless_it_fails(self._resize)

    def wake(self) -> FleetOutcome:
        """Start the first worker if there is none, because a job was just sent."""
        return self._unless_it_fails(self._wake)

    def has_replaced(self, task_definition: str) -> bool:
        """Whether workers of ``task_definition`` must end, because a release replaced them long ago.

        Raises
        ------
        FleetError
            If the table did not answer.
        """
        return self._ports.fleet_records.read().has_replaced(task_definition, self._now())

    def _unless_it_fails(self, act: Callable[[], FleetOutcome]) -> FleetOutcome:
        if not self._ports.fleet.is_managed:
            return FleetOutcome(FleetAction.UNMANAGED)
        try:
            return act()
        except ConflictError:
            return FleetOutcome(FleetAction.BUSY)
        except (FleetError, TransientError) as error:
            return FleetOutcome(FleetAction.FAILED, reason=error.message)

    def _resize(self) -> FleetOutcome:
        seen = self._workload(self._now())
        self._write(FleetNumbers(waiting=seen.waiting, held=seen.held, oldest_wait=seen.oldest_wait))
        return self._with_lease(partial(self._resized, seen))

    def _wake(self) -> FleetOutcome:
        record = self._ports.fleet_records.read()
        if not record.may_wake(self._now()):
            return FleetOutcome(FleetAction.KEPT, record.decision.workers)
        return self._with_lease(self._woken)

    def _with_lease(self, decide: Decide) -> FleetOutcome:
        """Decide and set the number under the lease; if that fails, only the lease is given up."""
        records, holder, now = self._ports.fleet_records, self._ports.ids.new_id(), self._now()
        record = records.take(holder, until=now + LEASE, now=now)
        try:
            service = self._ports.fleet.look()
            asked_for = replace(record.decision, workers=service.desired)  # an operator may have changed it
            known = replace(record, decision=asked_for).with_task_definition(service.task_definition, now)
            decided = decide(known, service, now)
            is_changed = decided.decision.workers != service.desired
            if is_changed:
                self._ports.fleet.set_workers(decided.decision.workers)
        except (FleetError, TransientError):
            records.settle(holder, replace(record, woken_at=now))
            raise
        records.settle(holder, decided)
        action = FleetAction.CHANGED if is_changed else FleetAction.KEPT
        return FleetOutcome(action, decided.decision.workers)

    def _resized(
        self, seen: Workload, record: FleetRecord, service: WorkerService, now: datetime
    ) -> FleetRecord:
        decision = plan_fleet(seen, record.decision, self._rules.fleet, now)
        self._write(FleetNumbers(desired=decision.workers, running=service.running))
        return replace(record, decision=decision)

    def _write(self, numbers: FleetNumbers) -> None:
        self._ports.metrics.record(numbers.values())

    def _woken(self, record: FleetRecord, service: WorkerService, now: datetime) -> FleetRecord:
        """One worker if there is none; another caller may have been first, so `may_wake` is asked again."""
        if service.desired > 0 or not record.may_wake(now):
            return record
        return replace(record, woken_at=now, decision=replace(record.decision, workers=1, raised_at=now))

    def _workload(self, now: datetime) -> Workload:
        """The work in the queue and in the table.

        A hidden message without a live lease waits as well: for its retry, or for a lost worker's lease to
        end. So does an accepted job whose message is still to be sent. Jobs that wait for a turn are counted
        apart, because no worker can take them yet.
        """
        jobs = self._ports.jobs.list_accepted(now, now + RECONCILE_GRACE + LONGEST_LEASE, _JOBS_COUNTED)
        held = [job for job in jobs if job.is_held(now)]
        unsent = sum(job.lease is None and job.queued_at is None for job in jobs)
        in_table = self._ports.jobs.count_waiting(now + WAITING_PATIENCE, _JOBS_COUNTED)
        return Workload(
            waiting=self._waiting(len(held), unsent),
            held=sum(1 + job.progress.helpers for job in held),
            oldest_wait=self._oldest_wait(now),
            in_table=in_table,
        )

    def _waiting(self, held: int, unsent: int) -> int | None:
        try:
            depth = self._ports.queue.depth()
        except TransientError:
            return None
        return depth.visible + max(0, depth.hidden - held) + unsent

    def _oldest_wait(self, now: datetime) -> timedelta:
        """How long the oldest message has waited: a queued job is due when its message is about to expire."""
        oldest = self._ports.jobs.list_accepted(now + _DAY, now + QUEUE_RETENTION + _DAY, 1)
        return max(
            (now - (job.due_at - QUEUE_RETENTION) for job in oldest if job.due_at), default=timedelta()
        )
