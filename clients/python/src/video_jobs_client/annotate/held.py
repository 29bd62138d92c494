"""Which result is drawn on a picture."""

from __future__ import annotations

from collections.abc import Iterator

from video_jobs_client.results import Frame


class HeldResults:
    """The last result at or before a picture: pictures between analysed ones keep the boxes of the first.

    What was found on the last analysed picture is held as long as one step between analysed pictures.

    Parameters
    ----------
    frames
        The results, in their order.

    Attributes
    ----------
    has_results
        Whether there are any.
    matches
        How many pictures that were asked for have the very time of a result.
    """

    def __init__(self, frames: Iterator[Frame]) -> None:
        self._frames = frames
        self._current: Frame | None = None
        self._next = next(frames, None)
        self._step = 0
        self.has_results = self._next is not None
        self.matches = 0

    def at(self, index: int, time_us: int) -> Frame | None:
        """The result for a picture; pictures are asked for in their order."""
        while self._next is not None and _place(self._next, index, time_us) <= 0:
            self._go_on()
        if self._current is None:
            return None
        passed = -_place(self._current, index, time_us)
        self.matches += passed == 0
        is_over = self._next is None and passed > 0 and passed >= self._step
        return None if is_over else self._current

    def _go_on(self) -> None:
        if self._current is not None and self._next is not None:
            self._step = _moment(self._next) - _moment(self._current)
        self._current, self._next = self._next, next(self._frames, None)


def _place(frame: Frame, index: int, time_us: int) -> int:
    """How far a result lies after a picture: in microseconds, or in pictures if it has no time."""
    return _moment(frame) - (index if frame.timestamp_ms is None else time_us)


def _moment(frame: Frame) -> int:
    return frame.index if frame.timestamp_ms is None else round(frame.timestamp_ms * 1000)
