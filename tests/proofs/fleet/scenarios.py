"""Arrivals, minute by minute, and how late the numbers of each minute are. All the same on every run."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

HOUR = 60
DAY = 24 * HOUR
LONGEST_JOB = 11 * HOUR


@dataclass(frozen=True, slots=True)
class Arrival:
    """A job: the minute in which it is submitted, and how many minutes a worker needs for it."""

    minute: int
    takes: int


@dataclass(frozen=True, slots=True)
class Lateness:
    """How many minutes after its own the number of one minute can be read; a table of shares."""

    shares: tuple[tuple[int, float], ...] = ((1, 0.8), (2, 0.15), (3, 0.05))

    def of_minutes(self, seed: str, minutes: int) -> list[int]:
        """The lateness of each minute."""
        lates, weights = zip(*self.shares, strict=True)
        return Random(seed).choices(lates, weights, k=minutes)


@dataclass(frozen=True, slots=True)
class Scenario:
    """Arrivals in the order of time, and how late the metrics of CloudWatch are meanwhile."""

    name: str
    arrivals: tuple[Arrival, ...]
    lateness: Lateness = field(default_factory=Lateness)


def _at_random(per_hour: float, hours: int, shortest: int, longest: int) -> tuple[Arrival, ...]:
    random = Random("arrivals")
    arrivals, minute = [], random.expovariate(per_hour / HOUR)
    while minute < hours * HOUR:
        arrivals.append(Arrival(int(minute), random.randint(shortest, longest)))
        minute += random.expovariate(per_hour / HOUR)
    return tuple(arrivals)


def _long_jobs() -> tuple[Arrival, ...]:
    """Two jobs that take the longest time there is, and a short one every hour."""
    long_jobs = [Arrival(minute, LONGEST_JOB) for minute in (0, 5)]
    return (*long_jobs, *(Arrival(hour * HOUR, 5) for hour in range(1, 11)))


def _one_long_job() -> tuple[Arrival, ...]:
    return (Arrival(0, LONGEST_JOB), *[Arrival(0, 3)] * 40)


SCENARIOS = (
    Scenario("delayed metrics", _at_random(20, 12, 4, 8), Lateness(((1, 0.4), (3, 0.4), (6, 0.2)))),
    Scenario("6 idle hours before each job", tuple(Arrival(number * 8 * HOUR, 5) for number in range(6))),
    Scenario("11-hour jobs among short ones", _long_jobs()),
    Scenario("a trickle", tuple(Arrival(minute, 4) for minute in range(0, DAY, 20))),
    Scenario("40 short jobs and one of 11 hours", _one_long_job()),
    Scenario("the same, no metric is late", _one_long_job(), Lateness(((1, 1.0),))),
    Scenario("a burst of 1,000", tuple(Arrival(0, 3) for _ in range(1000))),
)
