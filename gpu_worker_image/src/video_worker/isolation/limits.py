"""Limits of what a job may use of the machine, and what it has used."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

import psutil
from video_jobs.domain.errors import ResourceLimitError
from video_jobs.settings import WorkerSettings

from video_worker.passing import PassingTimes

_MIB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLimits:
    """The limits of one job.

    Attributes
    ----------
    memory_mib
        Resident memory of the analysing process, models included, in MiB.
    cpu_s
        CPU time of all its threads, in seconds.
    frame_s
        Wall time without a new answer, in seconds.
    """

    memory_mib: int
    cpu_s: int
    frame_s: float

    @classmethod
    def from_settings(cls, settings: WorkerSettings) -> Self:
        """The limits that the settings tell."""
        return cls(
            memory_mib=settings.job_memory_mib, cpu_s=settings.job_cpu_s, frame_s=settings.frame_limit_s
        )


class JobUsage:
    """Watches one process for one job.

    Parameters
    ----------
    process
        The analysing process.
    """

    def __init__(self, process: psutil.Process, limits: JobLimits) -> None:
        self._process = process
        self._limits = limits
        self._passing = PassingTimes(0.0, 0.0)
        self._passing_s = 0.0
        self._cpu_at_start_s = 0.0
        with suppress(psutil.NoSuchProcess):
            self._cpu_at_start_s = self._cpu_s()
        self._last_answer = time.monotonic()

    def answer_arrived(self) -> None:
        """Start the time limit for the next answer."""
        self._last_answer = time.monotonic()
        self._passing_s = self._passing.to_next_s

    def allow(self, passing: PassingTimes) -> None:
        """Give more time for each further answer, because pictures are passed over before it."""
        self._passing = passing
        self._passing_s = passing.to_first_s

    def check(self) -> None:
        """Compare what the process uses with the limits.

        Raises
        ------
        ResourceLimitError
            If the job has used more than it may.
        """
        with suppress(psutil.NoSuchProcess):  # reading its next answer reports that
            self._check()

    def _check(self) -> None:
        if self._process.memory_info().rss > self._limits.memory_mib * _MIB:
            raise ResourceLimitError(
                f"Analysing this video takes more than {self._limits.memory_mib} MiB of memory; "
                "submit it at a smaller resolution"
            )
        if self._cpu_s() - self._cpu_at_start_s > self._limits.cpu_s:
            raise ResourceLimitError(
                f"Analysing this video takes more than {self._limits.cpu_s} s of CPU time; "
                "submit fewer frames (frames_per_second, start_ms, end_ms, max_frames)"
            )
        limit_s = self._limits.frame_s + self._passing_s
        if time.monotonic() - self._last_answer > limit_s:
            raise ResourceLimitError(
                f"Analysing this video got stuck: no frame was finished within {limit_s:.0f} s; "
                "convert it to H.264 and submit it again"
            )

    def _cpu_s(self) -> float:
        used = self._process.cpu_times()
        return float(used.user + used.system)
