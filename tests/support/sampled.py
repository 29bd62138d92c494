"""Which pictures a sampling selects, by a slow search that follows the words of the definition."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import count, takewhile

from video_jobs.domain.sampling import Sampling

_HALF = Fraction(1, 2)
"""The frame clock is rounded to whole microseconds, so a tick may be half a microsecond later."""


def selected(times_us: Sequence[int], sampling: Sampling) -> list[int]:
    """The indexes of the candidates; the numbers of the sampling have at most three decimals."""
    start_us = round(1000 * (sampling.start_ms or 0))
    end_us = None if sampling.end_ms is None else round(1000 * sampling.end_ms)
    window = [
        index
        for index, time_us in enumerate(times_us)
        if index % sampling.stride == 0 and start_us <= time_us and (end_us is None or time_us < end_us)
    ]
    if sampling.frames_per_second is None or not window:
        return window
    step_us = Fraction(10**9, round(1000 * sampling.frames_per_second))
    last = times_us[window[-1]] + _HALF
    ticks = takewhile(lambda tick: tick <= last, (start_us + number * step_us for number in count()))
    first_at = (next(index for index in window if times_us[index] + _HALF >= tick) for tick in ticks)
    return sorted(set(first_at))
