"""Boxes of lines from the map that the detection model gives: how likely each pixel is in a line's core.

The method is that of Differentiable Binarization (Liao et al., 2020): the model marks lines shrunk towards
their middle; each patch is widened again, by ``UNCLIP`` times its area by its perimeter on every side.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from video_worker.plugins.ocr.reading import Box, Corners

TextMap = NDArray[np.float32]
"""Height x width, 0-1."""

THRESHOLD = 0.3
LEAST_SCORE = 0.5
UNCLIP = 1.6
MOST_PATCHES = 1000
LEAST_CORE_PX, LEAST_SIDE_PX = 3, 5
TALL = 1.5
"""A line that is so many times as high as wide is read from its upper end downwards."""

_DILATION = np.ones((2, 2), np.uint8)


@dataclass(frozen=True, slots=True)
class Found:
    """A line where it was found.

    Parameters
    ----------
    score
        Mean of the map over the line's core, 0-1.
    """

    corners: Corners
    score: float

    @property
    def box(self) -> Box:
        """The smallest upright box around it."""
        xs, ys = zip(*self.corners, strict=True)
        return [min(xs), min(ys), max(xs), max(ys)]

    @property
    def height(self) -> float:
        """Of its letters, with the margin that detection leaves."""
        (x1, y1), _, _, (x4, y4) = self.corners
        return float(np.hypot(x4 - x1, y4 - y1))

    def moved(self, left: float, top: float, scale: tuple[float, float]) -> Found:
        """With pixels of a part of the scaled frame made to pixels of the frame; ``scale`` is of x and y."""
        one, two, three, four = (((left + x) / scale[0], (top + y) / scale[1]) for x, y in self.corners)
        return Found((one, two, three, four), self.score)


def lines_of_map(text_map: TextMap) -> list[Found]:
    """The lines of a map, with positions in its pixels."""
    mask = cv2.dilate((text_map > THRESHOLD).astype(np.uint8), _DILATION)
    patches, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    lines = (_line(text_map, patch) for patch in patches[:MOST_PATCHES])
    return [line for line in lines if line is not None]


def _line(text_map: TextMap, patch: cv2.typing.MatLike) -> Found | None:
    (x, y), (width, height), angle = cv2.minAreaRect(patch)
    if min(width, height) < LEAST_CORE_PX:
        return None
    score = _mean_inside(text_map, cv2.boxPoints(((x, y), (width, height), angle)))
    more = UNCLIP * width * height / (width + height)  # on both sides together
    if score < LEAST_SCORE or min(width, height) + more < LEAST_SIDE_PX:
        return None
    # OpenCV names pixels by whole numbers; their middles are half a pixel farther.
    whole = cv2.boxPoints(((x + 0.5, y + 0.5), (width + more, height + more), angle))
    return Found(in_reading_order(whole), score)


def _mean_inside(text_map: TextMap, corners: cv2.typing.MatLike) -> float:
    rows, columns = text_map.shape
    left, top = np.clip(np.floor(corners.min(0)), 0, (columns - 1, rows - 1)).astype(int)
    right, bottom = np.clip(np.ceil(corners.max(0)), 0, (columns - 1, rows - 1)).astype(int)
    inside = np.zeros((bottom - top + 1, right - left + 1), np.uint8)
    cv2.fillPoly(inside, [(corners - (left, top)).astype(np.int32)], 1)
    return cv2.mean(text_map[top : bottom + 1, left : right + 1], inside)[0]


def in_reading_order(points: cv2.typing.MatLike) -> Corners:
    """The corners of a rectangle from where its first letter begins above; tall ones are read downwards."""
    by_x = sorted(((float(x), float(y)) for x, y in points), key=lambda point: point)
    (upper_left, lower_left), (upper_right, lower_right) = (
        sorted(side, key=lambda point: point[1]) for side in (by_x[:2], by_x[2:])
    )
    corners = (upper_left, upper_right, lower_right, lower_left)
    if _length(upper_left, lower_left) >= TALL * _length(upper_left, upper_right):
        return (upper_right, lower_right, lower_left, upper_left)
    return corners


def _length(one: tuple[float, float], other: tuple[float, float]) -> float:
    return float(np.hypot(one[0] - other[0], one[1] - other[1]))
