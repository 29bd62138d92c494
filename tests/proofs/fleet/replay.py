"""The workers of a service, minute by minute."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from tests.proofs.fleet.scenarios import Arrival, Scenario

START_TAKES = 6
"""Minutes from asking for a worker to its first job: machine, image, model."""

LONGEST_REPLAY = 60 * 24 * 7


@dataclass(frozen=True, slots=True)
class Minute:
    """What is true in one minute."""

    waiting: int
    in_work: int
    running: int


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
    """The desired count, the workers that there are, the queue, and all minutes that have passed."""

    desired: int = 0
    minute: int = 0
    queue: deque[Arrival] = field(default_factory=deque)
    workers: list[_Worker] = field(default_factory=list)
    past: list[Minute] = field(default_factory=list)
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
        running = sum(worker.is_running(self.minute) for worker in self.workers)
        self.past.append(Minute(len(self.queue), self.busy, running))
        self.worker_minutes += len(self.workers)
        self.minute += 1

    def _stop_unprotected(self) -> None:
        """ECS stops tasks that are too many, but none that holds a job."""
        for worker in reversed(self.workers.copy()):
            if len(self.workers) <= self.desired:
                return
            if not worker.is_busy(self.minute):
                self.workers.remove(worker)


class Policy(Protocol):
    """Sets the desired count of a service, once a minute."""

    def decide(self, service: Service) -> None:
        """Look at the service, and change ``service.desired``."""
        ...


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


def replay(scenario: Scenario, make_policy: Callable[[Scenario], Policy]) -> Outcome:
    """Play a scenario until its last job has ended and the last worker is gone."""
    service, policy = Service(), make_policy(scenario)
    to_come = deque(scenario.arrivals)
    while to_come or service.queue or service.workers:
        while to_come and to_come[0].minute <= service.minute:
            service.queue.append(to_come.popleft())
        service.hand_out()
        policy.decide(service)
        service.pass_minute()
        assert service.minute < LONGEST_REPLAY, f"{scenario.name}: a worker stays for ever"
    assert len(service.waits) == len(scenario.arrivals)
    return Outcome(tuple(sorted(service.waits)), service.worker_minutes / 60, service.started)
