"""The workers of a service, minute by minute, as `plan_fleet` sets their number."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from video_jobs.domain.fleet import FleetDecision, FleetLimits, Workload, plan_fleet

from tests.proofs.fleet.scenarios import Arrival

LIMITS = FleetLimits(max_workers=4, jobs_per_worker=5)
START_TAKES = 6
"""Minutes from asking for a worker to its first job: machine, image, model."""

LONGEST_REPLAY = 60 * 24 * 7


@dataclass(slots=True)
class _Worker:
    ready_at: int
    busy_until: int = 0

    def is_busy(self, minute: int) -> bool:
        return minute < self.busy_until

    def is_running(self, minute: int) -> bool:
        return minute >= self.ready_at


@dataclass(slots=True)
class Service:
    """The desired count, the workers that there are, the queue, and how long its jobs waited."""

    desired: int = 0
    minute: int = 0
    queue: deque[Arrival] = field(default_factory=deque)
    workers: list[_Worker] = field(default_factory=list)
    waits: list[int] = field(default_factory=list)
    started: int = 0
    worker_minutes: int = 0

    @property
    def busy(self) -> int:
        """Workers that hold a job."""
        return sum(worker.is_busy(self.minute) for worker in self.workers)

    @property
    def oldest_wait(self) -> int:
        """Minutes that the first job of the queue has waited."""
        return self.minute - self.queue[0].minute if self.queue else 0

    def hand_out(self) -> None:
        """Idle workers take jobs within seconds, so before anybody looks at the queue."""
        for worker in self.workers:
            if self.queue and worker.is_running(self.minute) and not worker.is_busy(self.minute):
                job = self.queue.popleft()
                self.waits.append(self.minute - job.minute)
                worker.busy_until = self.minute + job.takes

    def pass_minute(self) -> None:
        """Start and stop workers as desired, and count."""
        while len(self.workers) < self.desired:
            self.workers.append(_Worker(self.minute + START_TAKES))
            self.started += 1
        self._stop_unprotected()
        self.worker_minutes += len(self.workers)
        self.minute += 1

    def _stop_unprotected(self) -> None:
        """ECS stops tasks that are too many, but none that holds a job."""
        for worker in reversed(self.workers.copy()):
            if len(self.workers) <= self.desired:
                return
            if not worker.is_busy(self.minute):
                self.workers.remove(worker)


class Planner:
    """`plan_fleet` once a minute, and one worker as soon as a video arrives where there is none.

    SQS's own numbers are approximate: every fifth is that of the minute before, every fiftieth is missing.
    """

    def __init__(self) -> None:
        self._random = Random("attributes")
        self._decision = FleetDecision()
        self._waiting_before = 0

    def decide(self, service: Service) -> None:
        """Set the desired count."""
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


@dataclass(frozen=True, slots=True)
class Outcome:
    """Minutes that each job waited, sorted; hours that workers existed; workers that were started."""

    waits: tuple[int, ...]
    hours: float
    started: int

    @property
    def median(self) -> int:
        """The median wait."""
        return self.waits[len(self.waits) // 2]

    @property
    def longest(self) -> int:
        """The longest wait."""
        return self.waits[-1]


def replay(arrivals: Sequence[Arrival]) -> Outcome:
    """Play until the last job has ended and the last worker is gone."""
    service, planner, to_come = Service(), Planner(), deque(arrivals)
    while to_come or service.queue or service.workers:
        while to_come and to_come[0].minute <= service.minute:
            service.queue.append(to_come.popleft())
        service.hand_out()
        planner.decide(service)
        service.pass_minute()
        assert service.minute < LONGEST_REPLAY, "a worker stays for ever"
    assert len(service.waits) == len(arrivals)
    return Outcome(tuple(sorted(service.waits)), service.worker_minutes / 60, service.started)
