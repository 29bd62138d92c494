"""Limits of what a job may use of the machine, and what it has used."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass

import psutil
from video_jobs.domain.errors import ResourceLimitError

_MIB = 1 << 20
_SKIPPED_FRAME_S = 0.1


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
        Wall time without a new result, in seconds.
    """

    memory_mib: int
    cpu_s: int
    frame_s: float


class JobUsage:
    """Watches one process for one job.

    Parameters
    ----------
    process
        The analysing process.
    frames_between
        How many frames it decodes at most between two results.
    """

    def __init__(self, process: psutil.Process, limits: JobLimits, frames_between: int) -> None:
        self._process = process
        self._limits = limits
        self._frame_s = limits.frame_s + _SKIPPED_FRAME_S * frames_between
        self._cpu_at_start_s = 0.0
        with suppress(psutil.NoSuchProcess):
            self._cpu_at_start_s = self._cpu_s()
        self._last_result = time.monotonic()

    def result_arrived(self) -> None:
        """Start the time limit for the next result."""
        self._last_result = time.monotonic()

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
                "submit fewer frames (frame_stride, max_frames)"
            )
        if time.monotonic() - self._last_result > self._frame_s:
            raise ResourceLimitError(
                f"Analysing this video got stuck: no frame was finished within {self._frame_s:.0f} s; "
                "convert it to H.264 and submit it again"
            )

    def _cpu_s(self) -> float:
        used = self._process.cpu_times()
        return float(used.user + used.system)
