"""Simulated time: greenlets that sleep, woken one at a time in the order of their time."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count

import greenlet

START = datetime(2026, 1, 1, tzinfo=UTC)


class Scheduler:
    """Runs actors; only `sleep` lets another one go on, so a run is a function of the seed.

    Attributes
    ----------
    now_s
        Seconds since the start of the simulation.
    """

    def __init__(self) -> None:
        self.now_s = 0.0
        self._order = count()
        self._sleeping: list[tuple[float, int, greenlet.greenlet]] = []
        self._hub = greenlet.getcurrent()

    def now(self) -> datetime:
        return START + timedelta(seconds=self.now_s)

    def spawn(self, work: Callable[[], None], after_s: float = 0.0) -> None:
        self._wake_later(greenlet.greenlet(work, parent=self._hub), after_s)

    def sleep(self, seconds: float) -> None:
        """Let ``seconds`` pass for the actor that calls this."""
        self._wake_later(greenlet.getcurrent(), seconds)
        self._hub.switch()

    def jump(self, seconds: float) -> None:
        """Move time on for everybody at once, as if all machines had stood still."""
        self.now_s += seconds

    def run_until(self, end_s: float, done: Callable[[], bool] = lambda: False) -> None:
        """Run actors until a time, or until ``done`` says so."""
        while self._sleeping and self._sleeping[0][0] <= end_s and not done():
            wake_s, _, actor = heapq.heappop(self._sleeping)
            self.now_s = max(self.now_s, wake_s)
            actor.switch()

    def close(self) -> None:
        for _, _, actor in self._sleeping:
            actor.throw(greenlet.GreenletExit)
        self._sleeping.clear()

    def _wake_later(self, actor: greenlet.greenlet, seconds: float) -> None:
        heapq.heappush(self._sleeping, (self.now_s + seconds, next(self._order), actor))
