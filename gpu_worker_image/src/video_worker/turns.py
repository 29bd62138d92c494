"""Let several threads decide in the order of the frames what depends on earlier frames."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class TurnsAbortedError(Exception):
    """An earlier frame failed, so this one's turn never comes."""


class Turns:
    """Lets frames 0, 1, 2, … pass one at a time, in this order.

    Frames must be started in order; otherwise all threads could wait for a frame that no thread works on.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._next = 0
        self._aborted = False

    @contextmanager
    def turn(self, position: int) -> Iterator[None]:
        """Wait until all frames before ``position`` have had their turn.

        Raises
        ------
        TurnsAbortedError
            If one of them failed.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._aborted or self._next == position)
            if self._aborted:
                raise TurnsAbortedError
        try:
            yield
        except BaseException:
            self.abort()
            raise
        with self._changed:
            self._next += 1
            self._changed.notify_all()

    def abort(self) -> None:
        """End all waiting, because a frame failed before its turn."""
        with self._changed:
            self._aborted = True
            self._changed.notify_all()
