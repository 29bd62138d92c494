"""The path of a box over time as few points, with a limit on the error."""

from __future__ import annotations

import math
from typing import NamedTuple

from video_worker.summary.frames import Box
from video_worker.summary.motion import size_of

MOST_POINTS = 32
ROUNDING_PX = 0.1
"""Edges of points are rounded to this."""
_SHARE_OF_SIZE = 0.05
_LEAST_TOLERANCE_PX = 1.0

Slopes = tuple[tuple[float, float], ...]
"""The least and the greatest slope of each edge, in pixels a microsecond."""

_ANY: Slopes = ((-math.inf, math.inf),) * 4


class Point(NamedTuple):
    """Where the box is at a time; between two points its edges move evenly in time."""

    frame_index: int
    at_us: int
    box: Box


class Path:
    """Takes boxes in order of time, and keeps at most `MOST_POINTS` points.

    Each edge of each box taken is at most ``error_px`` from the path. It is the swing filter (Elmeleegy et
    al., 2009): a segment goes on as long as one line passes all its boxes within the tolerance. If there are
    too many points, the path is simplified once more with twice the tolerance, and the errors add up.
    """

    def __init__(self, tolerance_px: float | None = None, most_points: float = MOST_POINTS) -> None:
        self._tolerance_px, self._most_points = tolerance_px, most_points
        self._error_px = self._absorbed_px = 0.0
        self._points: list[Point] = []
        self._slopes = _ANY
        self._last: Point | None = None

    @property
    def error_px(self) -> float:
        """How far an edge may be from the path, in pixels; with one decimal."""
        error = self._error_px + self._absorbed_px + (self._tolerance_px or 0.0) + ROUNDING_PX / 2
        return math.ceil(error * 10) / 10

    def add(self, point: Point) -> None:
        """Take the box of a later frame."""
        if self._tolerance_px is None:
            self._tolerance_px = max(_LEAST_TOLERANCE_PX, _SHARE_OF_SIZE * size_of(point.box))
        if not self._points:
            self._points.append(point)
            return
        slopes = self._narrowed(point)
        if slopes is None:
            self._close_segment()
            slopes = self._narrowed(point)
        self._slopes, self._last = slopes or _ANY, point
        if len(self._points) >= self._most_points:
            self._simplify()

    def absorb(self, other: Path) -> None:
        """Take another path, which lies after this one in time."""
        for point in other.points():
            self.add(point)
        self._absorbed_px = max(self._absorbed_px, other.error_px)

    def points(self) -> list[Point]:
        """The points, the last box included."""
        return [*self._points, self._line_at(self._last)] if self._last else list(self._points)

    def _narrowed(self, point: Point) -> Slopes | None:
        """The slopes with which a line passes this box, too; None if there are none."""
        start, tolerance = self._points[-1], self._tolerance_px or 0.0
        passed_us = max(1, point.at_us - start.at_us)
        slopes = tuple(
            (max(low, (to - of - tolerance) / passed_us), min(high, (to - of + tolerance) / passed_us))
            for of, to, (low, high) in zip(start.box, point.box, self._slopes, strict=True)
        )
        return None if any(low > high for low, high in slopes) else slopes

    def _line_at(self, point: Point) -> Point:
        """Where the line of the segment is, as near to the box as it can be."""
        start = self._points[-1]
        passed_us = max(1, point.at_us - start.at_us)
        edges = [
            of + passed_us * max(low, min(high, (to - of) / passed_us))
            for of, to, (low, high) in zip(start.box, point.box, self._slopes, strict=True)
        ]
        return point._replace(box=(edges[0], edges[1], edges[2], edges[3]))

    def _close_segment(self) -> None:
        if self._last:
            self._points.append(self._line_at(self._last))
        self._slopes, self._last = _ANY, None

    def _simplify(self) -> None:
        self._close_segment()
        points, tolerance = self._points, self._tolerance_px or 0.0
        while len(points) > MOST_POINTS // 2:
            tolerance *= 2
            simpler = Path(tolerance, math.inf)
            for point in self._points:
                simpler.add(point)
            points = simpler.points()
        self._error_px += self._tolerance_px or 0.0
        self._points, self._tolerance_px = points, tolerance
