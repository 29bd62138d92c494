"""The signal to stop, and the grace period that follows it."""

from __future__ import annotations

import threading


class StoppedError(Exception):
    """The worker was told to stop, and the grace period is over."""


class StopSignal:
    """Set by a signal handler; ``grace_s`` seconds later, `grace_is_over` becomes true."""

    def __init__(self, grace_s: float) -> None:
        self._grace_s = grace_s
        self._over = threading.Event()
        self.requested = threading.Event()

    def request(self) -> None:
        """Take no new job; end the running one within the grace period."""
        if self.requested.is_set():
            return
        self.requested.set()
        timer = threading.Timer(self._grace_s, self._over.set)
        timer.daemon = True
        timer.start()

    def grace_is_over(self) -> bool:
        """Whether a running job must be given back now."""
        return self._over.is_set()
