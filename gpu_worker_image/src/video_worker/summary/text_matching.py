"""Which reading of a frame goes on with which text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from video_worker.summary.association import iou_matrix
from video_worker.summary.frames import Box, Frame, Reading
from video_worker.summary.open_text import OpenText
from video_worker.summary.spelling import Spelling, is_same, similarity, spelling_of

_LEAST_OVERLAP = 0.1
"""Other spellings of a text are where it was; the same spelling may be a little further away."""
_HEIGHTS_A_US = 1 / 100_000
_MOST_HEIGHTS = 5.0
_MOST_HEIGHT_RATIO = 2.0


def best_matches(texts: Sequence[OpenText], frame: Frame) -> list[tuple[OpenText, Reading]]:
    """Texts and the readings that go on with them, each at most once; the most alike first."""
    boxes = [reading.box for reading in frame.readings]
    overlaps = iou_matrix([text.box for text in texts], boxes)
    found = []
    for row, column in np.argwhere(_are_near(texts, boxes, frame.start_us)):
        reading = frame.readings[column]
        likeness = likeness_of(texts[row], spelling_of(reading.text), float(overlaps[row, column]))
        if likeness:
            found.append((-likeness, texts[row].order, int(column), texts[row], reading))
    return _greedy(found)


def likeness_of(text: OpenText, spelling: Spelling, overlap: float) -> float:
    """0 if the reading is of another text; otherwise how well it goes on with this one.

    Spelling, place (``overlap`` is IoU) and how much was read already count alike: beside a text that was
    read often, a misreading of it must not become a text that attracts others.
    """
    is_identical = text.spelling.letters == spelling.letters
    if is_identical or (overlap >= _LEAST_OVERLAP and is_same(text.spelling, spelling)):
        return similarity(text.spelling, spelling) + overlap + text.votes.weight / (text.votes.weight + 1)
    return 0.0


def _greedy(
    found: list[tuple[float, int, int, OpenText, Reading]],
) -> list[tuple[OpenText, Reading]]:
    texts, readings, pairs = set[int](), set[int](), []
    for _, order, column, text, reading in sorted(found, key=lambda item: item[:3]):
        if order not in texts and column not in readings:
            texts.add(order)
            readings.add(column)
            pairs.append((text, reading))
    return pairs


def _are_near(texts: Sequence[OpenText], boxes: Sequence[Box], now_us: int) -> NDArray[np.bool_]:
    """Whether a line of the same height is as near as a text can have moved since it was read."""
    ones = np.array([text.box for text in texts], float).reshape(-1, 1, 4)
    others = np.array(boxes, float).reshape(1, -1, 4)
    unread_us = np.array([now_us - text.last_us for text in texts], float).reshape(-1, 1)
    height, other_height = _heights(ones), _heights(others)
    apart = np.maximum(ones[..., :2] - others[..., 2:], others[..., :2] - ones[..., 2:]).max(axis=2)
    reach = height * np.clip(unread_us * _HEIGHTS_A_US, 1.0, _MOST_HEIGHTS)
    is_alike = np.maximum(height, other_height) <= _MOST_HEIGHT_RATIO * np.minimum(height, other_height)
    near: NDArray[np.bool_] = (apart <= reach) & is_alike
    return near


def _heights(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """The shorter sides."""
    shorter: NDArray[np.float64] = np.maximum(1.0, (boxes[..., 2:] - boxes[..., :2]).min(axis=2))
    return shorter
