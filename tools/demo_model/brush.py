"""Draw onto a picture and, at the same time, note which pixel belongs to which object."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from tools.demo_model.textures import Color, Image

Point = tuple[float, float]
_SHIFT = 4
_ONE = 1 << _SHIFT


class Brush:
    """Paints one object in a unit square that is stretched over (x, y, width, height) of the picture.

    Coordinates are 0-1 from the left and from the top of that box, so a shape is written once and
    drawn at any size.
    """

    def __init__(
        self,
        canvas: Image,
        owners: NDArray[np.int32],
        owner: int,
        box: tuple[float, float, float, float],
    ) -> None:
        self._canvas, self._owners, self._owner, self._box = canvas, owners, owner, box

    def part(self, owner: int, left: float, top: float, width: float, height: float) -> Brush:
        """A brush for another object that sits on this one."""
        x, y, w, h = self._box
        return Brush(self._canvas, self._owners, owner, (x + left * w, y + top * h, width * w, height * h))

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the box in pixels."""
        return self._box[2], self._box[3]

    def polygon(self, points: Sequence[Point], color: Color) -> None:
        """A filled polygon."""
        x, y, w, h = self._box
        corners = np.array([(x + px * w, y + py * h) for px, py in points]) * _ONE
        contour = corners.round().astype(np.int32)
        cv2.fillPoly(self._canvas, [contour], color, cv2.LINE_AA, _SHIFT)
        cv2.fillPoly(self._owners, [contour], self._owner, cv2.LINE_8, _SHIFT)

    def rectangle(self, left: float, top: float, right: float, bottom: float, color: Color) -> None:
        """A filled rectangle."""
        self.polygon([(left, top), (right, top), (right, bottom), (left, bottom)], color)

    def ellipse(self, center: Point, radius: Point, color: Color) -> None:
        """A filled ellipse; the radius is in units of width and height."""
        x, y, w, h = self._box
        at = (round((x + center[0] * w) * _ONE), round((y + center[1] * h) * _ONE))
        axes = (max(1, round(radius[0] * w * _ONE)), max(1, round(radius[1] * h * _ONE)))
        cv2.ellipse(self._canvas, at, axes, 0, 0, 360, color, -1, cv2.LINE_AA, _SHIFT)
        cv2.ellipse(self._owners, at, axes, 0, 0, 360, self._owner, -1, cv2.LINE_8, _SHIFT)

    def text(self, text: str, color: Color, *, share: float = 0.7) -> None:
        """Text in the middle of the box, as large as ``share`` of it allows."""
        x, y, w, h = self._box
        stamp = _stamp(text, max(4, round(h * share)), max(4, round(w * 0.9)))
        height, width = stamp.shape
        top, left = round(y + (h - height) / 2), round(x + (w - width) / 2)
        rows = slice(max(0, top), min(self._canvas.shape[0], top + height))
        columns = slice(max(0, left), min(self._canvas.shape[1], left + width))
        if rows.start >= rows.stop or columns.start >= columns.stop:
            return
        alpha = stamp[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
        share_of_ink = alpha[..., None].astype(np.float32) / 255
        under = self._canvas[rows, columns].astype(np.float32)
        inked = under * (1 - share_of_ink) + np.array(color, np.float32) * share_of_ink
        self._canvas[rows, columns] = inked.astype(np.uint8)


@lru_cache(maxsize=4096)
def _stamp(text: str, height: int, width: int) -> NDArray[np.uint8]:
    """The text's ink (0-255), at most ``height`` x ``width`` pixels."""
    font = _font(max(4, round(height * 1.35)))
    left, top, right, bottom = font.getbbox(text)
    picture = PillowImage.new("L", (max(1, round(right - left)), max(1, round(bottom - top))))
    ImageDraw.Draw(picture).text((-left, -top), text, fill=255, font=font)
    scale = min(1.0, width / picture.width, height / picture.height)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return np.asarray(picture.resize(size, PillowImage.Resampling.LANCZOS))


@lru_cache(maxsize=256)
def _font(size: int) -> ImageFont.FreeTypeFont:
    """DejaVu Sans Bold, which comes with matplotlib."""
    path = Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans-Bold.ttf"
    return ImageFont.truetype(str(path), size)
