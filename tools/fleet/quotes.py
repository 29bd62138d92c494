"""How good quotes are in the simulated fleet: ``python -m tools.fleet.quotes``."""

from __future__ import annotations

import sys
from bisect import insort
from collections.abc import Sequence
from math import sqrt
from statistics import fmean, pstdev
from typing import NamedTuple

from video_jobs.domain.fleet import FleetRecord
from video_jobs.domain.quotes import DEVIATIONS_TO_HIGH, HIGH, MEDIAN, QueueState
from video_jobs.domain.speeds import JobLength

from tools.fleet.arrivals import Load
from tools.fleet.jobs import Job
from tools.fleet.model import FleetModel, Policies
from tools.fleet.scenarios import PATTERNS, limits_for

_LEAST_JOBS = 20
"""So many jobs have ended before the first one is quoted."""
_EACH = 7
"""Every seventh job is quoted."""
_DAY_JOBS = 10_000


class Quoted(NamedTuple):
    """A job with the quote that it was given when its video arrived."""

    job: Job
    p50_s: float
    p95_s: float

    @property
    def took_s(self) -> float:
        """From the arrival of the video to the end of the job."""
        return self.job.ended_s - self.job.arrives_s


class QuotedModel(FleetModel):
    """A run that quotes jobs as they arrive, from those that have ended."""

    def __init__(self, jobs: Sequence[Job], policies: Policies) -> None:
        super().__init__(jobs, policies)
        self.quoted: list[Quoted] = []
        self._frame_s: list[float] = []
        self._job_s: list[float] = []

    def arrived(self, job: Job) -> None:
        """Quote some of the jobs."""
        if len(self._job_s) >= _LEAST_JOBS and self._arrived % _EACH == 0:
            self.quoted.append(self._quote(job))

    def end(self, job: Job) -> None:
        """Measure what a job took, as a worker does that nobody helped."""
        super().end(job)
        insort(self._frame_s, job.frame_s)
        self._job_s.append(self._compute_s(job, job.frame_s))

    def _quote(self, job: Job) -> Quoted:
        length = JobLength(fmean(self._job_s[-1000:]), pstdev(self._job_s[-1000:]))
        record = FleetRecord(decision=self._decision)
        queue = QueueState.of_fleet(self._seen(), record, self.policies.limits, self._now())
        wait_s, deviation_s = queue.wait(length)
        median_s, high_s = (self._compute_s(job, self._of_frames(share)) for share in (MEDIAN, HIGH))
        spread_s = sqrt((high_s - median_s) ** 2 + (DEVIATIONS_TO_HIGH * deviation_s) ** 2)
        return Quoted(job, wait_s + median_s, wait_s + median_s + spread_s)

    def _of_frames(self, share: float) -> float:
        return self._frame_s[min(len(self._frame_s) - 1, int(share * len(self._frame_s)))]

    def _compute_s(self, job: Job, frame_s: float) -> float:
        known = self.figures
        return known.a_job_s + known.fetch_s(job.frames) + job.frames * (frame_s + known.close_s)


def shares(quoted: Sequence[Quoted]) -> tuple[float, float]:
    """How many of the jobs ended within ``p50``, and within ``p95``."""
    return (
        fmean(one.took_s <= one.p50_s for one in quoted),
        fmean(one.took_s <= one.p95_s for one in quoted),
    )


def main() -> int:
    """A line of a table for each pattern of arrivals."""
    for pattern in PATTERNS:
        load = Load(pattern=pattern, jobs_a_day=_DAY_JOBS)
        model = QuotedModel(load.jobs(), Policies(limits=limits_for(load)))
        model.run()
        within = " | ".join(f"{share:.0%}" for share in shares(model.quoted))
        print(f"| {pattern} | {len(model.quoted):,} | {within} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
