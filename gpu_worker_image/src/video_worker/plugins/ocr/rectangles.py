"""Arithmetic of upright rectangles (x1, y1, x2, y2), in whole pixels or in fractions of them."""

from __future__ import annotations

from collections.abc import Sequence

Rectangle = Sequence[float]


def size_of(rectangle: Rectangle) -> float:
    """Its pixels."""
    x1, y1, x2, y2 = rectangle
    return (x2 - x1) * (y2 - y1)


def shared(one: Rectangle, other: Rectangle) -> float:
    """The pixels that two rectangles have in common."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, width) * max(0.0, height)


def iou(one: Rectangle, other: Rectangle) -> float:
    """Intersection over union."""
    common = shared(one, other)
    return common / (size_of(one) + size_of(other) - common) if common else 0.0


def holds(outer: Rectangle, inner: Rectangle) -> bool:
    """Whether one holds the other wholly."""
    return outer[0] <= inner[0] and outer[1] <= inner[1] and inner[2] <= outer[2] and inner[3] <= outer[3]
