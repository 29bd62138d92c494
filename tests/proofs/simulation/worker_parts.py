"""The parts of a worker that wait in real time, in simulated time."""

from __future__ import annotations

from typing import Any

from video_worker.heartbeat import Heartbeat
from video_worker.stop_signal import StopSignal

from tests.proofs.simulation.faults import Crash, Process

_JOIN_PAUSE_S = 0.05


class SimulatedHeartbeat(Heartbeat):
    """Beats in an actor of its own instead of a thread."""

    def __init__(self, process: Process, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._process = process
        self._runs = False

    def __enter__(self) -> SimulatedHeartbeat:
        self._runs = True
        self._process.scheduler.spawn(self._beat_in_simulated_time)
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        while self._runs and self._process.is_alive:
            self._process.sleep(_JOIN_PAUSE_S)

    def _beat_in_simulated_time(self) -> None:
        try:
            self._process.sleep(self._pause_s)
            while not self._done.is_set() and not self.lost.is_set():
                self.beat()
                self._process.sleep(self._pause_s)
        except Crash:
            pass
        finally:
            self._runs = False


class SimulatedStop(StopSignal):
    """A stop signal whose grace period is simulated."""

    def __init__(self, process: Process, grace_s: float) -> None:
        super().__init__(grace_s)
        self._process = process
        self._over_at_s: float | None = None

    def request(self) -> None:
        """SIGTERM arrives."""
        self.requested.set()
        self._over_at_s = self._process.scheduler.now_s + self._grace_s

    def grace_is_over(self) -> bool:
        """Whether a running job must be given back now."""
        return self._over_at_s is not None and self._process.scheduler.now_s >= self._over_at_s
