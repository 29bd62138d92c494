"""Rectangles on a frame: where something changed, and what has to be searched because of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from video_worker.plugins.ocr.reading import Area, Box
from video_worker.plugins.ocr.rectangles import holds, size_of

Mask = NDArray[np.uint8]
"""255 where something is the case, otherwise 0."""

SIDE_MARGIN, UPPER_MARGIN = 1.0, 0.2
"""Around a line, in shares of its height, so that a letter that is added at an end belongs to it."""

_GRID_PX = 16
_JOINED_WITHIN_CELLS = (1, 4, 8, 16)
"""Changes that are at most twice as many cells of the grid apart are searched together; the first of
these with which there are at most `_MOST_AREAS` is taken."""
_MARGIN_SHARE, _SIDE_MARGIN_SHARE = 1 / 32, 1 / 16
"""Around changes, of the frame's height; at the sides as much as they are high, at most the second one."""
_LEAST_MARGIN_PX = 16
_MOST_AREAS = 2
"""A neural detector searches at least an eighth of a frame, so that many small areas save nothing. What is
joined is also remembered together; then fewer frames differ from the memory."""
_WHOLE_SHARE = 0.35
"""If the areas cover more than this share of the frame, the whole frame is searched: it is likely that a line
is cut off, and then a search of almost the whole frame would follow one of a large part of it."""


def area_around(box: Box, whole: Area, margins: float = 1.0) -> Area:
    """A line with so many times its margins, as far as they lie in the frame."""
    x1, y1, x2, y2 = box
    height = margins * (y2 - y1)
    side, upper = SIDE_MARGIN * height, UPPER_MARGIN * height
    left, top = max(0, math.floor(x1 - side)), max(0, math.floor(y1 - upper))
    right, bottom = min(whole[2], int(x2 + side) + 1), min(whole[3], int(y2 + upper) + 1)
    return (left, top, max(left, right), max(top, bottom))


def with_margins(zones: Iterable[Area], whole: Area) -> list[Area]:
    """What to search if zones changed; the whole frame if that is much of it."""
    _, _, width, height = whole
    margin = max(_LEAST_MARGIN_PX, round(_MARGIN_SHARE * height))
    most = max(margin, round(_SIDE_MARGIN_SHARE * height))
    areas: list[Area] = []
    for x1, y1, x2, y2 in zones:
        side = min(most, max(margin, y2 - y1))
        areas.append(
            (max(0, x1 - side), max(0, y1 - margin), min(width, x2 + side), min(height, y2 + margin))
        )
    return merged(areas, whole)


def merged(areas: Iterable[Area], whole: Area) -> list[Area]:
    """Rectangles that hold all areas and do not overlap; the whole frame if they cover much of it."""
    done: list[Area] = []
    waiting = sorted(set(areas))
    while waiting:
        area = waiting.pop()
        joined = next((other for other in done if _overlap(area, other)), None)
        if joined is None:
            done.append(area)
        else:
            done.remove(joined)
            waiting.append(_union(area, joined))
    return [whole] if sum(map(size_of, done)) > _WHOLE_SHARE * size_of(whole) else sorted(done)


def rectangles_of(mask: Mask) -> list[Area]:
    """Around the changes, in steps of a grid; those that are near are joined until there are only a few."""
    height, width = mask.shape
    grid = _reduced_rows(_reduced_rows(mask))
    found: list[Area] = []
    for reach in _JOINED_WITHIN_CELLS:
        found = [
            (x1 * _GRID_PX, y1 * _GRID_PX, min(width, x2 * _GRID_PX), min(height, y2 * _GRID_PX))
            for x1, y1, x2, y2 in _groups(grid, reach)
        ]
        if len(found) <= _MOST_AREAS:
            break
    return found


def _reduced_rows(mask: Mask) -> Mask:
    """The maximum of each `_GRID_PX` rows (the last ones may be fewer), with rows and columns exchanged."""
    rows, columns = mask.shape
    full = rows // _GRID_PX * _GRID_PX
    most = mask[:full].reshape(-1, _GRID_PX, columns).max(axis=1)
    return np.ascontiguousarray((most if full == rows else np.vstack([most, mask[full:].max(axis=0)])).T)


def _groups(grid: Mask, reach: int) -> Iterator[Area]:
    """The boxes of cells that are at most two times ``reach`` apart."""
    rows, columns = grid.shape
    near = cv2.dilate(grid, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(near, connectivity=8)
    for left, top, width, height, _ in stats[1:].tolist():
        right, bottom = left + width, top + height
        yield (
            left + reach if left else 0,
            top + reach if top else 0,
            right - reach if right < columns else columns,
            bottom - reach if bottom < rows else rows,
        )


def _overlap(one: Area, other: Area) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _union(one: Area, other: Area) -> Area:
    return (min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3]))


def lies_in(area: Area, areas: Iterable[Area]) -> bool:
    """Whether one of the areas holds another one wholly."""
    return any(holds(other, area) for other in areas)
