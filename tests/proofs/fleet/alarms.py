"""Arrivals, and what they came to when three alarms with scaling policies set the number of workers.

Nothing of the alarms is left in the product. Their replay is in the history (``git log -S "class Alarms"``).
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from tools.fleet.jobs import Job

HOUR = 60
DAY = 24 * HOUR
LONGEST_JOB = 11 * HOUR


class Waits(NamedTuple):
    """Minutes that the median job and the longest-waiting one waited, and hours that workers existed."""

    median: int
    longest: int
    hours: float


@dataclass(frozen=True, slots=True)
class Scenario:
    """Minutes in which jobs come and minutes that they take, and what became of them with the alarms."""

    name: str
    before: Waits
    arrivals: tuple[tuple[float, int], ...]

    def jobs(self) -> list[Job]:
        """The jobs; each is of one frame, so nobody helps with it."""
        return [Job("a", "few", 60.0 * at, 1, 60.0 * takes, 256) for at, takes in self.arrivals]


def _at_random(per_hour: float, hours: int, shortest: int, longest: int) -> tuple[tuple[float, int], ...]:
    random = Random("arrivals")
    arrivals, minute = [], random.expovariate(per_hour / HOUR)
    while minute < hours * HOUR:
        arrivals.append((minute, random.randint(shortest, longest)))
        minute += random.expovariate(per_hour / HOUR)
    return tuple(arrivals)


SCENARIOS = (
    Scenario("delayed metrics", Waits(15, 39, 24.8), _at_random(20, 12, 4, 8)),
    Scenario(
        "6 idle hours before each job",
        Waits(23, 24, 2.2),
        tuple((number * 8 * HOUR, 5) for number in range(6)),
    ),
    Scenario(
        "11-hour jobs among short ones",
        Waits(348, 623, 23.4),
        ((0, LONGEST_JOB), (5, LONGEST_JOB), *((hour * HOUR, 5) for hour in range(1, 11))),
    ),
    Scenario("a trickle", Waits(7, 23, 17.9), tuple((minute, 4) for minute in range(0, DAY, 20))),
    Scenario("40 short jobs and one of 11 hours", Waits(42, 63, 45.0), ((0, LONGEST_JOB), *([(0, 3)] * 40))),
    Scenario("a burst of 1,000", Waits(398, 773, 50.6), tuple((0, 3) for _ in range(1000))),
)
