"""The signal to stop, and the grace period that follows it."""

from __future__ import annotations

import signal
import threading
from queue import SimpleQueue
from types import FrameType


class StoppedError(Exception):
    """The worker was told to stop, and the grace period is over."""


class StopSignal:
    """Set by `request`; ``grace_s`` seconds later, `grace_is_over` becomes true."""

    def __init__(self, grace_s: float) -> None:
        self._grace_s = grace_s
        self._over = threading.Event()
        self.requested = threading.Event()

    def listen(self) -> None:
        """Request the stop on SIGINT or SIGTERM.

        A handler runs in the middle of what the main thread does, which may hold the lock of `requested`;
        so it only hands the signal to a thread (``put`` of a ``SimpleQueue`` is made for handlers).
        """
        signals: SimpleQueue[int] = SimpleQueue()

        def on_signal(number: int, _frame: FrameType | None) -> None:
            signals.put(number)

        def request_on_signal() -> None:
            signals.get()
            self.request()

        threading.Thread(target=request_on_signal, name="stop-signal", daemon=True).start()
        signal.signal(signal.SIGTERM, on_signal)
        signal.signal(signal.SIGINT, on_signal)

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
