"""How far apart the analysed frames are, and how long a gap may be."""

from __future__ import annotations

from collections import deque
from statistics import median_low

_RECENT = 15
_GAP_INTERVALS = 2.5
"""One frame may be missed, and half an interval is left for a rate that varies."""


class SamplingInterval:
    """The usual time from one analysed frame to the next: the median of the recent ones.

    It follows the stride and a rate that varies; a single pause does not change it.
    """

    def __init__(self) -> None:
        self._recent: deque[int] = deque(maxlen=_RECENT)

    def add(self, interval_us: int) -> None:
        """Take the time between two neighbouring frames."""
        self._recent.append(interval_us)

    @property
    def us(self) -> int:
        """The interval in microseconds; 0 before two frames are known."""
        return median_low(self._recent) if self._recent else 0

    def gap_us(self, least_us: int) -> int:
        """The longest time from one sighting to the next that is still a gap: ``least_us``, or one frame."""
        return max(least_us, int(_GAP_INTERVALS * self.us))
