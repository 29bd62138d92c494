"""The ink of words in several typefaces, all from packages that are installed anyway.

Aileron (CC0) comes with Pillow, DejaVu and STIX (Bitstream Vera and OFL) with matplotlib, and Rubik (OFL), a
variable font, with OpenCV.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Protocol

import cv2
import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

Ink = NDArray[np.float32]
"""Height x width, 0 (none) to 1 (full)."""

_ASCENT, _DESCENT = 1.35, 0.55
"""Room above and below the baseline, in heights of a capital letter."""


class Draw(Protocol):
    """Draws text of a font size in pixels, with its baseline at (x, y), on a grey picture."""

    def __call__(self, picture: NDArray[np.uint8], text: str, at: tuple[int, int], size: int) -> None: ...


@dataclass(frozen=True, slots=True)
class InkedWord:
    """A word's ink from its first to its last inked column; ``baseline`` is a row, ``capital`` a height."""

    ink: Ink
    baseline: int
    capital: float


def _pillow(file: str | None) -> Draw:
    def draw(picture: NDArray[np.uint8], text: str, at: tuple[int, int], size: int) -> None:
        drawn = PillowImage.fromarray(picture)
        ImageDraw.Draw(drawn).text(at, text, fill=255, font=_pillow_font(file, size), anchor="ls")
        picture[:] = np.asarray(drawn)

    return draw


@lru_cache(maxsize=256)
def _pillow_font(file: str | None, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    if file is None:
        return ImageFont.load_default(size)
    path = Path(mpl.get_data_path()) / "fonts" / "ttf" / file
    return ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)


def _opencv(name: str, weight: int) -> Draw:
    def draw(picture: NDArray[np.uint8], text: str, at: tuple[int, int], size: int) -> None:
        cv2.putText(picture, text, at, (255,), cv2.FontFace(name), size, weight)

    return draw


_FACES: dict[str, Draw] = {
    "aileron": _pillow(None),
    "dejavu": _pillow("DejaVuSans.ttf"),
    "dejavu bold": _pillow("DejaVuSans-Bold.ttf"),
    "dejavu serif": _pillow("DejaVuSerif.ttf"),
    "dejavu serif bold": _pillow("DejaVuSerif-Bold.ttf"),
    "dejavu mono": _pillow("DejaVuSansMono-Bold.ttf"),
    "stix": _pillow("STIXGeneral.ttf"),
    "stix bold": _pillow("STIXGeneralBol.ttf"),
    "rubik": _opencv("sans", 600),
    "rubik italic": _opencv("italic", 500),
}
FACES = tuple(_FACES)


@lru_cache(maxsize=4096)
def inked_word(face: str, text: str, capital: float) -> InkedWord:
    """A word whose capital letters are about ``capital`` pixels high; how high they are is measured."""
    size = max(4, round(capital / _capital_share(face)))
    ink, baseline = _ink(face, text, size)
    columns = np.flatnonzero(ink.max(axis=0) > 0)
    return InkedWord(ink[:, columns[0] : columns[-1] + 1], baseline, _capital(face, size))


@cache
def _capital_share(face: str) -> float:
    return _capital(face, 200) / 200


@lru_cache(maxsize=1024)
def _capital(face: str, size: int) -> float:
    """How high a capital H is: an edge that is half inked counts as half a row."""
    return float(_ink(face, "H", size)[0].max(axis=1).sum())


def _ink(face: str, text: str, size: int) -> tuple[Ink, int]:
    baseline = round(_ASCENT * size)
    width = size * (len(text) + 2)
    picture = np.zeros((baseline + round(_DESCENT * size), width), np.uint8)
    _FACES[face](picture, text, (size, baseline), size)
    return np.asarray(picture / np.float32(255), np.float32), baseline
