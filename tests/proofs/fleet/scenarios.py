"""Arrivals, minute by minute: the same on every run."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import NamedTuple

HOUR = 60
DAY = 24 * HOUR
LONGEST_JOB = 11 * HOUR


@dataclass(frozen=True, slots=True)
class Arrival:
    """A job: the minute in which it is submitted, and how many minutes a worker needs for it."""

    minute: int
    takes: int


class Waits(NamedTuple):
    """Minutes that the median job and the longest-waiting one waited, and hours that workers existed."""

    median: int
    longest: int
    hours: float


@dataclass(frozen=True, slots=True)
class Scenario:
    """Arrivals in the order of time, and what they came to with the policies of before.

    Those were three alarms that saw late metrics. Nothing of them is left in the product, so their replay is
    in the history (``git log -S "class Alarms"``), and what it came to is here.
    """

    name: str
    before: Waits
    arrivals: tuple[Arrival, ...]


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
    Scenario("delayed metrics", Waits(15, 39, 24.8), _at_random(20, 12, 4, 8)),
    Scenario(
        "6 idle hours before each job",
        Waits(23, 24, 2.2),
        tuple(Arrival(number * 8 * HOUR, 5) for number in range(6)),
    ),
    Scenario("11-hour jobs among short ones", Waits(348, 623, 23.4), _long_jobs()),
    Scenario("a trickle", Waits(7, 23, 17.9), tuple(Arrival(minute, 4) for minute in range(0, DAY, 20))),
    Scenario("40 short jobs and one of 11 hours", Waits(44, 65, 13.6), _one_long_job()),
    Scenario("the same, no metric is late", Waits(42, 63, 45.0), _one_long_job()),
    Scenario("a burst of 1,000", Waits(398, 773, 50.6), tuple(Arrival(0, 3) for _ in range(1000))),
)
