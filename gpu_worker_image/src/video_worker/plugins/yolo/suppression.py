"""Choose the boxes of one frame from a YOLO model's output, as Ultralytics does, but without a time limit."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from video_worker.plugins.yolo.detector import MAX_DETECTIONS

Array = NDArray[np.float32]

_BOX = 4
_ROW = 6
_MOST_CANDIDATES = 30_000
_CLASS_OFFSET = 7680
"""Moves the boxes of each class away from those of the others, so that they never overlap."""


def chosen_boxes(
    output: Array, confidence: float, iou: float, class_ids: Collection[int] | None = None
) -> Array:
    """Rows of (x1, y1, x2, y2, confidence, class id) in pixels of the model's input, strongest first.

    Parameters
    ----------
    output
        1 x (4 + classes) x candidates with (centre x, centre y, width, height, score of each class), or
        1 x boxes x 6 if the model chooses the boxes itself.
    confidence
        What a box must exceed.
    iou
        Overlap (intersection over union) above which the weaker of two boxes of a class is dropped.
    class_ids
        The classes that are wanted, which alone count for the limits; None for all.
    """
    if output.shape[-1] == _ROW:
        rows: Array = output[0]
        is_chosen = (rows[:, _BOX] > confidence) & _is_wanted(rows[:, _BOX + 1], class_ids)
        return rows[is_chosen][:MAX_DETECTIONS]
    candidates = _candidates(output[0], confidence, class_ids)
    return candidates[_strongest_without_overlap(candidates, iou)]


def _candidates(columns: Array, confidence: float, class_ids: Collection[int] | None) -> Array:
    """One row for each candidate with the best of its classes, strongest first."""
    best = columns[_BOX:].max(axis=0)
    found = np.flatnonzero(best > confidence)
    found = found[_is_wanted(columns[_BOX:, found].argmax(axis=0), class_ids)]
    found = found[np.argsort(-best[found], kind="stable")][:_MOST_CANDIDATES]
    centre, half = columns[:2, found], columns[2:_BOX, found] / np.float32(2)
    best_ids = columns[_BOX:, found].argmax(axis=0).astype(np.float32)
    return np.vstack([centre - half, centre + half, best[found], best_ids]).T


def _is_wanted(ids: NDArray[Any], class_ids: Collection[int] | None) -> NDArray[np.bool_]:
    return np.ones(len(ids), bool) if class_ids is None else np.isin(ids, list(class_ids))


def _strongest_without_overlap(candidates: Array, iou: float) -> list[int]:
    boxes = candidates[:, :_BOX] + candidates[:, _BOX + 1 :] * np.float32(_CLASS_OFFSET)
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    left = np.arange(len(boxes))
    chosen: list[int] = []
    while left.size and len(chosen) < MAX_DETECTIONS:
        first, left = left[0], left[1:]
        chosen.append(int(first))
        top_left = np.maximum(boxes[first, :2], boxes[left, :2])
        bottom_right = np.minimum(boxes[first, 2:], boxes[left, 2:])
        shared = np.clip(bottom_right - top_left, 0, None).prod(axis=1)
        with np.errstate(invalid="ignore"):  # boxes without an area share nothing, and stay
            overlap = shared / (areas[first] + areas[left] - shared)
        left = left[~(overlap > iou)]
    return chosen
