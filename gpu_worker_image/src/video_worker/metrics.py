"""What an attempt at a job took: time in the queue, in each stage and in all, frames and bytes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from video_jobs.domain.job import Job
from video_jobs.domain.metrics import (
    ANALYSIS_TIME,
    ATTEMPT_NUMBER,
    ATTEMPTS_ENDED,
    FETCH_TIME,
    FRAMES,
    FRAMES_PER_SECOND,
    QUEUE_WAIT,
    Metric,
)
from video_jobs.domain.speeds import JobTiming
from video_jobs.domain.usage import Usage
from video_jobs.ports import Clock, Metrics

ERROR = "error"
"""The outcome of an attempt that ended in an error that nobody expected."""


class AttemptMetrics:
    """Measures the attempts of one worker, which come one after the other.

    Parameters
    ----------
    clock
        By which the whole attempt is measured, as leases are.
    seconds
        A clock that never goes back, by which stages are measured.

    Attributes
    ----------
    frames
        How many frames this attempt has analysed; the worker sets it.
    fetched_bytes
        The size of the video that it has fetched; the worker sets it.
    helped
        What helpers used for the job meanwhile; the worker sets it.
    outcome
        How the attempt ended; the worker sets it.
    """

    def __init__(self, metrics: Metrics, clock: Clock, seconds: Callable[[], float] = time.monotonic) -> None:
        self._metrics = metrics
        self._clock = clock
        self._seconds = seconds
        self._begin(clock.now())

    def _begin(self, now: datetime) -> None:
        self._started = now
        self._started_s = self._seconds()
        self._times: dict[Metric, float] = {}
        self.frames = self.fetched_bytes = 0
        self.helped = Usage()
        self.outcome = ERROR

    @property
    def usage(self) -> Usage:
        """What this attempt has used until now."""
        lasted = self._clock.now() - self._started
        return Usage.of_attempt(lasted, frames=self.frames, fetched_bytes=self.fetched_bytes)

    @property
    def usage_with_help(self) -> Usage:
        """What this attempt and the helpers that ended a segment meanwhile have used until now."""
        return self.usage.added_to(self.helped)

    @property
    def timing(self) -> JobTiming:
        """How long this attempt has taken until now."""
        return JobTiming(
            compute_ms=_ms(self._seconds() - self._started_s),
            fetch_ms=_ms(self._times.get(FETCH_TIME, 0.0)),
            analysis_ms=_ms(self._times.get(ANALYSIS_TIME, 0.0)),
            frames=self.frames,
        )

    @contextmanager
    def attempt(self, job: Job, waited: timedelta) -> Iterator[None]:
        """Write how long the job waited at once, and the rest at the end, also after an error."""
        self._begin(self._clock.now())
        self._metrics.record({QUEUE_WAIT: waited.total_seconds()}, job_id=job.job_id)
        try:
            yield
        finally:
            self._metrics.record(self._values(job), by=self.outcome, job_id=job.job_id)

    @contextmanager
    def stage(self, metric: Metric) -> Iterator[None]:
        """Measure one stage."""
        started = self._seconds()
        try:
            yield
        finally:
            self._times[metric] = self._seconds() - started

    def _values(self, job: Job) -> dict[Metric, float]:
        values = {ATTEMPTS_ENDED: 1, ATTEMPT_NUMBER: job.attempt, FRAMES: self.frames, **self._times}
        analysis_s = self._times.get(ANALYSIS_TIME, 0.0)
        return values | ({FRAMES_PER_SECOND: self.frames / analysis_s} if self.frames and analysis_s else {})


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
