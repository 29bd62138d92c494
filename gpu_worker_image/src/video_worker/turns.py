"""Frames are worked on by several threads; what depends on earlier frames is decided in their order."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class TurnsAbortedError(Exception):
    """An earlier frame failed, so this one's turn never comes."""


class Turns:
    """Lets frames 0, 1, 2, … through one at a time, in this order.

    Frames must be started in order, so that the one whose turn it is always runs.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._next = 0
        self._aborted = False

    @contextmanager
    def turn(self, position: int) -> Iterator[None]:
        """Wait until all frames before ``position`` had their turn.

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
        """A frame failed before its turn: nobody shall wait for it."""
        with self._changed:
            self._aborted = True
            self._changed.notify_all()
