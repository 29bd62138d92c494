"""One form for options that mean the same, so that equal requests are found to be equal."""

from __future__ import annotations

from dataclasses import replace

from video_jobs.domain.errors import InvalidRequestError
from video_jobs.domain.job import JobOptions
from video_jobs.domain.region import WHOLE_PICTURE, Region

TIME_DECIMALS = 3
"""Of times in milliseconds, as the times of pictures have them."""

DECIMALS = 6
"""Of all other numbers."""


def normalised(options: JobOptions) -> JobOptions:
    """The options with rounded numbers and sorted classes, and without choices that change nothing.

    Raises
    ------
    InvalidRequestError
        If no picture, or nothing of a picture, can be in what was chosen.
    """
    start_ms = _rounded(options.start_ms, TIME_DECIMALS) or None
    end_ms = _rounded(options.end_ms, TIME_DECIMALS)
    if end_ms is not None and end_ms <= (start_ms or 0):
        raise InvalidRequestError(f"end_ms: give a time after start_ms ({start_ms or 0.0}), not {end_ms}")
    return replace(
        options,
        classes=tuple(sorted(set(options.classes))),
        min_confidence=_rounded(options.min_confidence),
        region=None if options.region is None else _normalised_region(options.region),
        start_ms=start_ms,
        end_ms=end_ms,
        frames_per_second=_normalised_rate(options.frames_per_second),
    )


def _normalised_region(region: Region) -> Region | None:
    x1, y1, x2, y2 = (_round(edge) for edge in region)
    if x1 >= x2 or y1 >= y2:
        raise InvalidRequestError(
            f"region: [{x1}, {y1}, {x2}, {y2}] is empty; give [x1, y1, x2, y2] with x1 < x2 and y1 < y2"
        )
    return None if (x1, y1, x2, y2) == WHOLE_PICTURE else Region(x1, y1, x2, y2)


def _normalised_rate(rate: float | None) -> float | None:
    rounded = _rounded(rate)
    if rounded == 0:
        raise InvalidRequestError(f"frames_per_second: give at least 0.000001, not {rate}")
    return rounded


def _rounded(number: float | None, decimals: int = DECIMALS) -> float | None:
    return None if number is None else _round(number, decimals)


def _round(number: float, decimals: int = DECIMALS) -> float:
    """A float even where a whole number was given, and no negative zero: both would change a hash."""
    return round(number, decimals) + 0.0
