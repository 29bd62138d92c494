"""Which boxes of two sets belong together."""

from __future__ import annotations

from collections.abc import Sequence

import lap
import numpy as np
from numpy.typing import NDArray

from video_worker.summary.frames import Box


def iou_matrix(ones: Sequence[Box], others: Sequence[Box]) -> NDArray[np.float64]:
    """Intersection over union of each box of ``ones`` (rows) with each of ``others`` (columns)."""
    rows, columns = np.array(ones, float).reshape(-1, 1, 4), np.array(others, float).reshape(1, -1, 4)
    corner, end = np.maximum(rows[..., :2], columns[..., :2]), np.minimum(rows[..., 2:], columns[..., 2:])
    common = _areas(np.maximum(0.0, end - corner))
    union = _areas(rows[..., 2:] - rows[..., :2]) + _areas(columns[..., 2:] - columns[..., :2]) - common
    iou: NDArray[np.float64] = np.divide(common, union, out=np.zeros_like(common), where=union > 0)
    return iou


def grown_iou_matrix(
    ones: Sequence[Box], margins: Sequence[float], others: Sequence[Box]
) -> NDArray[np.float64]:
    """The same of boxes that are grown on all sides: both boxes of a pair by the margin of the first one."""
    rows = [
        iou_matrix([_grown(one, margin)], [_grown(other, margin) for other in others])
        for one, margin in zip(ones, margins, strict=True)
    ]
    return np.concatenate(rows) if rows else iou_matrix(ones, others)


def best_pairs(likeness: NDArray[np.float64], least: float) -> list[tuple[int, int]]:
    """The pairs (row, column) with the greatest likeness in all, each of at least ``least``, by row.

    ``likeness`` is 0 to 1. It is the assignment problem, solved by the method of Jonker and Volgenant.
    """
    if not likeness.size or likeness.max() < least:
        return []
    _, columns, _ = lap.lapjv(1.0 - likeness, extend_cost=True, cost_limit=1.0 - least)
    return [(row, int(column)) for row, column in enumerate(columns) if column >= 0]


def _grown(box: Box, margin: float) -> Box:
    left, top, right, bottom = box
    return (left - margin, top - margin, right + margin, bottom + margin)


def _areas(sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Width times height, which are the last axis."""
    areas: NDArray[np.float64] = sizes[..., 0] * sizes[..., 1]
    return areas
