"""Put together what was found in several parts of a frame that overlap."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from video_worker.plugins.ocr.ppocr.text_map import Found, in_reading_order
from video_worker.plugins.ocr.reading import Box
from video_worker.plugins.ocr.rectangles import shared, size_of

SAME_LINE = 0.5
"""The share of a find inside a larger one from which on it is the same line."""
SAME_HEIGHT = 1.4
"""Two finds of one line differ in height by this factor at most, and both together are no higher."""
GAP = 0.3
"""Between two finds of one line, in shares of its height."""


def joined(found: Iterable[Found]) -> list[Found]:
    """Each line once, the largest first.

    What lies mostly in a larger find is left out; two finds of which one continues the other become one.
    """
    kept: list[Found] = []
    boxes = np.empty((0, 4))
    for one in sorted(found, key=lambda line: (-size_of(line.box), line.box, line.score)):
        near = [int(number) for number in np.flatnonzero(_touch(boxes, one))]
        if any(shared(one.box, kept[number].box) >= SAME_LINE * size_of(one.box) for number in near):
            continue
        number = next((number for number in near if _continues(one, kept[number])), None)
        if number is None:
            kept.append(one)
        else:
            kept[number] = _as_one(kept[number], one)
        boxes = np.array([line.box for line in kept])
    return kept


def _touch(boxes: NDArray[np.float64], one: Found) -> NDArray[np.bool_]:
    """Which boxes overlap with a find or lie so near that they may continue it."""
    x1, y1, x2, y2 = one.box
    gap = GAP * SAME_HEIGHT * one.height
    beside = (boxes[:, 0] < x2 + gap) & (boxes[:, 2] > x1 - gap)
    return beside & (boxes[:, 1] < y2 + gap) & (boxes[:, 3] > y1 - gap)


def _continues(one: Found, other: Found) -> bool:
    """Whether two finds touch, or nearly so, and run along the same straight line, at the same height."""
    higher, lower = max(one.height, other.height), min(one.height, other.height)
    if higher > SAME_HEIGHT * lower or shared(_grown(one.box, GAP * lower), other.box) <= 0:
        return False
    return _as_one(one, other).height <= SAME_HEIGHT * higher


def _grown(box: Box, by: float) -> Box:
    return [box[0] - by, box[1] - by, box[2] + by, box[3] + by]


def _as_one(one: Found, other: Found) -> Found:
    points = np.array([*one.corners, *other.corners], np.float32)
    corners = in_reading_order(cv2.boxPoints(cv2.minAreaRect(points)))
    return Found(corners, max(one.score, other.score))
