"""Which pictures of a video a sampling selects: the candidates of a run.

All arithmetic is exact: in whole microseconds of the frame clock, and in fractions of the decimal numbers
that the client wrote.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from fractions import Fraction
from math import ceil, inf, lcm
from typing import Protocol

from video_jobs.domain.sampling import Sampling

_US_A_SECOND = 1_000_000
_HALF = Fraction(1, 2)


class Times(Protocol):
    """The times of all pictures, in the order of display."""

    def __len__(self) -> int: ...

    def time_us(self, index: int) -> int:
        """When a picture is shown, in microseconds; never before an earlier picture."""
        ...


class Choice:
    """Says of one picture after the other, in the order of display, whether it is a candidate.

    A picture counts as shown at a tick if it is shown up to half a microsecond before, because the frame
    clock is rounded to microseconds: 30 frames a second of a video that has 30 are all of its pictures.

    Parameters
    ----------
    least
        The first index that may be one.

    Attributes
    ----------
    start_us, end_us
        Candidates are shown from ``start_us`` on, and before ``end_us``. They are rounded up to whole
        microseconds, which changes nothing.
    """

    def __init__(self, sampling: Sampling, least: int = 0) -> None:
        start_us = 1000 * _exact(sampling.start_ms or 0)
        self.start_us = ceil(start_us)
        self.end_us = inf if sampling.end_ms is None else ceil(1000 * _exact(sampling.end_ms))
        self._stride = sampling.stride
        self._clock = None
        if sampling.frames_per_second is not None:
            self._clock = _Clock(start_us, _exact(sampling.frames_per_second))
        self._last_index, self._last_tick = least - 1, -1

    def takes(self, index: int, time_us: int) -> bool:
        """Whether a picture is a candidate; none is if it comes again, or after a later one."""
        before, self._last_index = self._last_index, index
        if index <= before or index % self._stride or not self.start_us <= time_us < self.end_us:
            return False
        if self._clock is None:
            return True
        before, self._last_tick = self._last_tick, self._clock.last_tick(time_us)
        return self._last_tick > before


class _Clock:
    """Ticks that are numbered from 0 on, the first one at ``start_us``."""

    def __init__(self, start_us: Fraction, ticks_a_second: Fraction) -> None:
        ticks_a_us = ticks_a_second / _US_A_SECOND
        at_zero = (_HALF - start_us) * ticks_a_us
        self._divisor = lcm(ticks_a_us.denominator, at_zero.denominator)
        self._ticks_a_us = int(ticks_a_us * self._divisor)
        self._at_zero = int(at_zero * self._divisor)

    def last_tick(self, time_us: int) -> int:
        """The number of the last tick up to half a microsecond after a time."""
        return (self._ticks_a_us * time_us + self._at_zero) // self._divisor


def candidates(times: Times, sampling: Sampling) -> Sequence[int]:
    """The indexes of the candidates, in order. Only those of a clock need memory, eight bytes each."""
    choice, stride = Choice(sampling), sampling.stride
    indexes = range(len(times))
    begin = bisect_left(indexes, choice.start_us, key=times.time_us)
    end = bisect_left(indexes, choice.end_us, key=times.time_us)
    window = range(begin + -begin % stride, end, stride)
    if sampling.frames_per_second is None:
        return window
    return array("q", (index for index in window if choice.takes(index, times.time_us(index))))


def _exact(number: float) -> Fraction:
    """The decimal number as it was written: 0.1 is one tenth."""
    return Fraction(str(number))
