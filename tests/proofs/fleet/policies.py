"""What sets the desired count: alarms with step scaling and target tracking, as it was, and `plan_fleet`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import ceil
from random import Random

from video_jobs.domain.fleet import FleetDecision, FleetLimits, Workload, plan_fleet

from tests.proofs.fleet.replay import LONGEST_REPLAY, Minute, Service
from tests.proofs.fleet.scenarios import HOUR, Scenario

LIMITS = FleetLimits(max_workers=4, jobs_per_worker=5)
IDLE_PERIODS = 10
SLEEPS_AFTER = 6 * HOUR
WAKES_AFTER = 15
"""SQS stops its metrics after six hours without a message, and may need 15 minutes to resume them."""


class Alarms:
    """The policies of before, which see only what CloudWatch has by then.

    - start: jobs wait and ``FILL(tasks, 0) < 1``: exactly one worker, again every five minutes;
    - backlog: more than five waiting jobs for each task in three minutes: as many as that asks for;
    - idle: no job waits or runs for ten minutes: none.
    """

    def __init__(self, scenario: Scenario) -> None:
        self._queue_late = scenario.lateness.of_minutes("queue", LONGEST_REPLAY)
        self._tasks_late = scenario.lateness.of_minutes("tasks", LONGEST_REPLAY)
        self._last_message = -SLEEPS_AFTER
        self._asleep_until = 0
        self._rests = {"start": 0, "backlog": 0}

    def decide(self, service: Service) -> None:
        """Evaluate the three alarms."""
        self._sleep_or_wake(service)
        now = service.minute
        if self._starts(service) and self._rests["start"] <= now:
            service.desired, self._rests["start"] = 1, now + 5
        wanted = self._wanted_by_backlog(service)
        if wanted > service.desired and self._rests["backlog"] <= now:
            service.desired, self._rests["backlog"] = wanted, now + 2
        if self._is_idle(service):
            service.desired = 0

    def _sleep_or_wake(self, service: Service) -> None:
        if not service.queue and not service.busy:
            return
        if service.minute - self._last_message >= SLEEPS_AFTER:
            self._asleep_until = service.minute + WAKES_AFTER
        self._last_message = service.minute

    def _queue(self, service: Service, minute: int) -> Minute | None:
        """The queue's numbers of a minute, if they can be read by now."""
        is_there = minute >= 0 and minute + self._queue_late[minute] <= service.minute
        return service.past[minute] if is_there and minute >= self._asleep_until else None

    def _tasks(self, service: Service, minute: int) -> int:
        """``FILL(tasks, 0)``: a service without a task sends no number, and a late one is not there yet."""
        is_there = minute >= 0 and minute + self._tasks_late[minute] <= service.minute
        return service.past[minute].running if is_there else 0

    def _starts(self, service: Service) -> bool:
        newest = self._queue(service, service.minute - 1)
        return newest is not None and newest.waiting > 0 and self._tasks(service, service.minute - 1) < 1

    def _wanted_by_backlog(self, service: Service) -> int:
        loads = []
        for minute in range(service.minute - 3, service.minute):
            numbers = self._queue(service, minute)
            loads.append(0.0 if numbers is None else numbers.waiting / max(1, self._tasks(service, minute)))
        if min(loads) <= LIMITS.jobs_per_worker:
            return 0
        return min(LIMITS.max_workers, ceil(service.desired * loads[-1] / LIMITS.jobs_per_worker))

    def _is_idle(self, service: Service) -> bool:
        latest = max(self._queue_late[max(0, service.minute - IDLE_PERIODS) : service.minute + 1])
        minutes = range(service.minute - latest - IDLE_PERIODS + 1, service.minute - latest + 1)
        numbers = [self._queue(service, minute) for minute in minutes]
        return all(one is not None and one.waiting + one.in_work == 0 for one in numbers)


class Planned:
    """`plan_fleet` once a minute, and one worker as soon as a video arrives where there is none.

    SQS's own numbers are approximate: every fifth is that of the minute before, every fiftieth is missing.
    """

    def __init__(self, _: Scenario) -> None:
        self._random = Random("attributes")
        self._decision = FleetDecision()
        self._waiting_before = 0

    def decide(self, service: Service) -> None:
        """Ask the function."""
        now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=service.minute)
        if service.desired == 0 and service.queue and service.queue[-1].minute == service.minute:
            self._decision = FleetDecision(workers=1, raised_at=now)
        oldest = timedelta(minutes=service.oldest_wait)
        seen = Workload(waiting=self._seen(len(service.queue)), held=service.busy, oldest_wait=oldest)
        self._decision = plan_fleet(seen, self._decision, LIMITS, now)
        service.desired = self._decision.workers

    def _seen(self, waiting: int) -> int | None:
        before, self._waiting_before = self._waiting_before, waiting
        kind = self._random.random()
        if kind < 0.02:
            return None
        return before if kind < 0.22 else waiting
