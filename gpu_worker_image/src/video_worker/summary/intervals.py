"""When something was in view."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from video_worker.summary.frames import Frame

IN_VIEW_GAP_US = 500_000
"""What is not seen for a shorter time stays in view."""


@dataclass(slots=True)
class Interval:
    """From the start of a frame to the end of another one; ``most`` is the most at a time."""

    first_index: int
    last_index: int
    start_us: int
    end_us: int
    last_start_us: int
    most: int = 1


class Intervals:
    """The times in view, in order: at most ``limit``; those with the shortest pauses are joined.

    Attributes
    ----------
    in_view_us
        The time in view; it stays right when intervals are joined.
    joined
        How many pauses are not told, because there were too many.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._all: list[Interval] = []
        self.in_view_us = 0
        self.joined = 0

    def __iter__(self) -> Iterator[Interval]:
        return iter(self._all)

    def add(self, frame: Frame, gap_us: int, most: int = 1) -> None:
        """It is seen on this frame; it stayed in view if it was seen on the last one, or ``gap_us`` ago."""
        start_us, end_us = frame.start_us, frame.end_us
        self._append(Interval(frame.frame_index, frame.frame_index, start_us, end_us, start_us, most), gap_us)

    def absorb(self, other: Intervals, gap_us: int) -> None:
        """Take the intervals of something else, which lie after these in time."""
        self.joined += other.joined
        for one in other:
            self._append(one, gap_us)

    def _append(self, new: Interval, gap_us: int) -> None:
        last = self._all[-1] if self._all else None
        if last and (new.start_us <= last.end_us or new.start_us - last.last_start_us <= gap_us):
            self.in_view_us += new.end_us - last.end_us
            _extend(last, new)
            return
        self.in_view_us += new.end_us - new.start_us
        self._all.append(new)
        if len(self._all) > self._limit:
            self._join_nearest()

    def _join_nearest(self) -> None:
        pauses = [after.start_us - before.end_us for before, after in pairwise(self._all)]
        number = pauses.index(min(pauses))
        _extend(self._all[number], self._all.pop(number + 1))
        self.joined += 1


def _extend(one: Interval, later: Interval) -> None:
    one.last_index, one.end_us, one.last_start_us = later.last_index, later.end_us, later.last_start_us
    one.most = max(one.most, later.most)
