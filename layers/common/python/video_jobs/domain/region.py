"""The part of the picture that a job looks at."""

from __future__ import annotations

from typing import NamedTuple


class Region(NamedTuple):
    """A rectangle in fractions (0-1) of the picture's width and height; y grows downwards."""

    x1: float
    y1: float
    x2: float
    y2: float


WHOLE_PICTURE = Region(0, 0, 1, 1)
"""As an option, it is the same as none."""
