"""Where the letters of a word are inside the part of a line that belongs to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Changes = NDArray[np.float32]
"""Height x width: how much the colour changes from the pixel to the left."""

_WEAK_ROW, _WEAK_COLUMN = 0.4, 0.15
"""Rows and columns with less than this share of the strong ones' change are margin."""
_STRONG_PERCENT = 90
_MOST_TRIMMED = 0.38
"""Of the height, above and below; a texture around weak letters must not cut into them."""


@dataclass(frozen=True, slots=True)
class Extent:
    """In shares of a line's width and height; right and lower ends are outside."""

    left: float
    top: float
    right: float
    bottom: float


def changes_of(line: NDArray[np.uint8]) -> Changes:
    """Of a line's pixels (height x width x 3).

    Letters have strokes that run down, so their rows change much; the upper and lower edge of a sign do not.
    """
    changes: Changes = np.abs(np.diff(line.astype(np.float32), axis=1, prepend=line[:, :1])).max(axis=2)
    return changes


def letters_inside(changes: Changes, start: float, end: float) -> Extent:
    """The extent of the letters between two columns."""
    height, width = changes.shape
    first, last = max(0, round(start)), min(width, max(round(start) + 1, round(end)))
    word = changes[:, first:last]
    top, bottom = _strong_range(word.max(axis=1), _WEAK_ROW)
    top, bottom = min(top, round(height * _MOST_TRIMMED)), max(bottom, round(height * (1 - _MOST_TRIMMED)))
    left, right = _strong_range(word[top:bottom].mean(axis=0), _WEAK_COLUMN)
    return Extent((first + left) / width, top / height, (first + right) / width, bottom / height)


def _strong_range(change: Changes, weak: float) -> tuple[int, int]:
    """From the first to the last place whose change is not weak; changes stand behind what they end."""
    strong = np.flatnonzero(change >= weak * np.percentile(change, _STRONG_PERCENT))
    return int(strong[0]), max(int(strong[-1]), int(strong[0]) + 1)
