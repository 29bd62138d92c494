"""When a worker must stop the work on a job or a segment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from threading import Event

from video_jobs.domain.errors import JobTooLongError
from video_jobs.ports import Clock
from video_jobs.use_cases.work import LeaseLostError

from video_worker.stop_signal import StoppedError, StopSignal


class GoingOn:
    """A `video_worker.analysis.KeepGoing`.

    Attributes
    ----------
    meanwhile
        What is done each time, if the work goes on.
    """

    def __init__(self, lost: Event, stop: StopSignal, clock: Clock, limit: timedelta) -> None:
        self._lost, self._stop, self._clock = lost, stop, clock
        self._must_end_at = clock.now() + limit
        self.meanwhile: Callable[[], None] = lambda: None

    def __call__(self) -> None:
        """Go on.

        Raises
        ------
        LeaseLostError
            If ``lost`` is set.
        StoppedError
            If the worker was told to stop and its grace period is over.
        JobTooLongError
            If the work takes longer than ``limit``.
        """
        if self._lost.is_set():
            raise LeaseLostError
        if self._stop.grace_is_over():
            raise StoppedError
        if self._clock.now() > self._must_end_at:
            raise JobTooLongError
        self.meanwhile()
