"""Small pictures of a line of text."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from video_jobs_client.annotate.canvas import Canvas, Color, Plane
from video_jobs_client.errors import AnnotationError

USUAL_FONTS = ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "Arial.ttf", "arial.ttf")
"""Fonts with letters of several scripts, looked for where the system keeps its fonts."""

_LONGEST = 48
"""Characters of a label; longer ones are cut."""

_KEPT = 512
_BRIGHT = 120
_Shares = NDArray[np.float64]
_BLACK, _WHITE = Color(16, 128, 128), Color(235, 128, 128)


class LabelMaker:
    """Makes labels in one size.

    Parameters
    ----------
    size_px
        Size of the letters.
    font
        A TrueType or OpenType file; None for the first of `USUAL_FONTS` that the machine has, or Pillow's own
        font, which has the letters of ASCII.
    """

    def __init__(self, size_px: int, font: str | os.PathLike[str] | None = None) -> None:
        self._font = _usual_font(size_px) if font is None else ImageFont.truetype(font, size_px)
        self._margin = max(2, size_px // 5)
        self.label = lru_cache(_KEPT)(self._label)

    def _label(self, text: str, color: Color) -> Canvas:
        """Text on a ground of a colour: black or white, whichever is easier to read there."""
        mask = self._mask(_shortened(text))
        half = mask.reshape(mask.shape[0] // 2, 2, mask.shape[1] // 2, 2).mean(axis=(1, 3))
        planes = zip(color, _BLACK if color.y > _BRIGHT else _WHITE, (mask, half, half), strict=True)
        return Canvas(*(_mixed(*plane) for plane in planes))

    def _mask(self, text: str) -> _Shares:
        """How much ink there is at each pixel, from 0 to 1. All labels have the same height."""
        font, margin = self._font, self._margin
        ascent, descent = font.getmetrics()
        width = round(font.getlength(text)) + 2 * margin
        size = width + width % 2, ascent + descent + (ascent + descent) % 2
        image = Image.new("L", size)
        ImageDraw.Draw(image).text((margin, 0), text, fill=255, font=font)
        return np.asarray(image, np.float64) / 255


def _usual_font(size_px: int) -> ImageFont.FreeTypeFont:
    for name in USUAL_FONTS:
        with suppress(OSError):
            return ImageFont.truetype(name, size_px)
    font = ImageFont.load_default(size_px)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise AnnotationError("This Pillow has no letters that can be scaled: install one with FreeType")
    return font


def _mixed(ground: int, ink: int, share: _Shares) -> Plane:
    return np.rint(ground + (ink - ground) * share).astype(np.uint8)


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
