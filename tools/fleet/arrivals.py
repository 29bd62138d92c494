"""Which jobs come, and when: seeded, so the same on every run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import ceil, pi, sin
from random import Random
from typing import NamedTuple

from tools.fleet.figures import Figures, figures
from tools.fleet.jobs import Job

DAY_S = 86400.0
LENGTHS = {1: 0.7, 10: 0.25, 60: 0.05}
"""Minutes of a video, and the share of jobs that have them."""

FLOOD_SHARE = 0.2
"""The part of a day's jobs that one owner sends at noon, in a flood."""

_NOON_S = DAY_S / 2
_BURST_S = 300.0
_BURST = 100.0


class OwnerSize(NamedTuple):
    """Owners of one size: their share of the jobs, and how many jobs a day each of them has."""

    share: float
    jobs_a_day: int


OWNERS = {"few": OwnerSize(0.5, 5), "some": OwnerSize(0.3, 100), "many": OwnerSize(0.2, 2000)}

PATTERNS: Mapping[str, Callable[[float], float]] = {
    "steady": lambda _: 1.0,
    "wave": lambda at_s: 1.0 + 0.8 * sin(2 * pi * (at_s / DAY_S - 0.25)),
    "burst": lambda at_s: _BURST if 0 <= at_s - _NOON_S < _BURST_S else 1.0,
    "flood": lambda _: 1.0,
}
"""How many times the mean rate there is at a time of the day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The jobs of a day, or of some hours of it.

    Attributes
    ----------
    first_hour, hours
        What is played of the day.
    """

    pattern: str
    jobs_a_day: int
    first_hour: float = 0.0
    hours: float = 24.0
    seed: int = 0

    def jobs(self) -> list[Job]:
        """The jobs; time 0 is the first hour."""
        random = Random(f"{self.pattern} {self.jobs_a_day} {self.seed}")
        jobs = [_job(random, self._owner(random), at_s) for at_s in self._times(random)]
        if self.pattern == "flood":
            flood = round(FLOOD_SHARE * self.jobs_a_day)
            jobs += [_job(random, ("flood", "flood"), _NOON_S) for _ in range(flood)]
        return jobs

    @property
    def mean_workers(self) -> float:
        """How many workers are busy at the mean rate of the day."""
        return self.jobs_a_day * mean_job_s() / DAY_S

    def _times(self, random: Random) -> Iterator[float]:
        """Times of a Poisson process whose rate changes: candidates at the highest rate are thinned out."""
        rate = PATTERNS[self.pattern]
        start_s, end_s = self.first_hour * 3600, (self.first_hour + self.hours) * 3600
        highest = _BURST if self.pattern == "burst" else 1.8
        at_s = start_s
        while (at_s := at_s + random.expovariate(highest * self.jobs_a_day / DAY_S)) < end_s:
            if random.random() * highest < rate(at_s):
                yield at_s - start_s

    def _owner(self, random: Random) -> tuple[str, str]:
        """An owner and his size."""
        (size,) = random.choices(list(OWNERS), [one.share for one in OWNERS.values()])
        share, jobs_a_day = OWNERS[size]
        owners = ceil(self.jobs_a_day * share / jobs_a_day)
        return f"{size} {random.randrange(owners)}", size


def mean_job_s(known: Figures | None = None) -> float:
    """What a job takes on average, when nobody helps."""
    known = known or figures()
    frames = sum(minutes * share for minutes, share in LENGTHS.items()) * 60 * known.frames_a_second
    return (
        frames * (known.mean_frame_s + known.fold_s + known.close_s) + known.fetch_s(frames) + known.a_job_s
    )


def _job(random: Random, owner_and_size: tuple[str, str], at_s: float) -> Job:
    """A job that is submitted at a time; its video arrives when the upload is over."""
    known = figures()
    (minutes,) = random.choices(list(LENGTHS), list(LENGTHS.values()))
    frames = minutes * 60 * known.frames_a_second
    upload_s = frames * known.frame_mb / known.upload_mb_s
    frame_s = random.choice(list(known.frame_s.values()))
    return Job(*owner_and_size, at_s + upload_s, frames, frame_s, known.part_frames)
