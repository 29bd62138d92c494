"""What is written on a frame, and which of it counts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from video_worker.plugins.ocr.reading import Box

Quad = NDArray[np.float64]
"""4 x 2: corners in pixels of the frame, from where the first letter begins above, then clockwise."""

CLEAR_PX, LEAST_PX = 20.0, 14.0
CLEAR_CONTRAST, LEAST_CONTRAST = 60.0, 20.0
CLEAR_SIGMA = 1.0
_MOST_BLUR = 0.15
"""Sigma of a blur in heights of a capital letter, about as wide as its strokes."""


class Stratum(StrEnum):
    """What makes a word hard to read, or where it stands."""

    CLEAR = "clear"
    SMALL = "small"
    LOW_CONTRAST = "low contrast"
    BLURRED = "blurred"
    CAPTIONS = "captions"
    CLOCK = "clock"
    PAGE = "page"


@dataclass(frozen=True, slots=True, eq=False)
class Word:
    """A word on a frame.

    Parameters
    ----------
    quad
        Around its capital letters: from their top down to the baseline.
    height
        Of its capital letters where it is smallest, in pixels of the frame.
    contrast
        Between ink and ground as they are lit: grey levels that 95 % of its place reach.
    sigma
        Of the blur, in pixels of the frame.
    stratum
        None if the word counts neither as truth nor, where it is read, as made up: it is partly hidden, or
        so small, pale or blurred that a person could not be sure.
    """

    text: str
    quad: Quad
    height: float
    contrast: float
    sigma: float
    stratum: Stratum | None

    @property
    def box(self) -> Box:
        """The smallest upright box around it."""
        return box_of(self.quad)


@dataclass(frozen=True, slots=True)
class FrameTruth:
    """The words of a frame.

    Parameters
    ----------
    home
        The stratum that a reading counts against where no text is.
    ignored
        Places of the footage itself where something stands that no person could spell out.
    """

    words: tuple[Word, ...]
    home: Stratum
    ignored: tuple[Box, ...] = ()

    @property
    def counted(self) -> tuple[Word, ...]:
        return tuple(word for word in self.words if word.stratum is not None)


def stratum_of(height: float, contrast: float, sigma: float) -> Stratum | None:
    """The first fault that applies; None if a person could not be sure to read it."""
    if height < LEAST_PX or contrast < LEAST_CONTRAST or sigma > _MOST_BLUR * height:
        return None
    if height < CLEAR_PX:
        return Stratum.SMALL
    if contrast < CLEAR_CONTRAST:
        return Stratum.LOW_CONTRAST
    return Stratum.BLURRED if sigma > CLEAR_SIGMA else Stratum.CLEAR


def box_of(quad: Quad) -> Box:
    x1, y1 = quad.min(axis=0)
    x2, y2 = quad.max(axis=0)
    return [float(x1), float(y1), float(x2), float(y2)]
