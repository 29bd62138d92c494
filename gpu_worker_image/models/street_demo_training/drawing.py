"""Surfaces made by code (none comes from a photograph), and a brush that notes what it painted where."""

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

Image = NDArray[np.uint8]
Color = tuple[int, int, int]
Point = tuple[float, float]
_SHIFT = 4
_ONE = 1 << _SHIFT


def textured(
    rng: np.random.Generator, size: tuple[int, int], color: Color, *, rough: float, grain: float
) -> Image:
    """A surface of ``color``, with clouds of strength ``rough`` and grain (both in grey levels)."""
    clouds = _cloud_noise(rng, size, 4) * rough + rng.normal(0, grain, size)
    surface = np.array(color, np.float32) + clouds[..., None].astype(np.float32)
    return np.clip(surface, 0, 255).astype(np.uint8)


def gradient(size: tuple[int, int], top: Color, bottom: Color) -> Image:
    """From one color at the top to another at the bottom."""
    share = np.linspace(0, 1, size[0], dtype=np.float32)[:, None, None]
    colors = np.array(top, np.float32) * (1 - share) + np.array(bottom, np.float32) * share
    return np.broadcast_to(colors, (*size, 3)).astype(np.uint8)


def bricks(rng: np.random.Generator, size: tuple[int, int], color: Color) -> Image:
    """A wall with joints."""
    wall = textured(rng, size, color, rough=10, grain=4)
    course = int(rng.integers(8, 15))
    joint = tuple(int(max(0, channel - 35)) for channel in color)
    for row, y in enumerate(range(0, size[0], course)):
        cv2.line(wall, (0, y), (size[1], y), joint, 1)
        for x in range((row % 2) * course, size[1], course * 2):
            cv2.line(wall, (x, y), (x, y + course), joint, 1)
    return wall


def _cloud_noise(rng: np.random.Generator, size: tuple[int, int], cells: int) -> NDArray[np.float32]:
    """Smooth noise in -1..1 over (height, width): octaves of enlarged random grids."""
    total = np.zeros(size, np.float32)
    for octave in range(3):
        grid = max(2, cells * 2**octave)
        small = rng.uniform(-1, 1, (grid, grid)).astype(np.float32)
        total += cv2.resize(small, size[::-1], interpolation=cv2.INTER_CUBIC) / 2**octave
    clipped: NDArray[np.float32] = np.clip(total / 1.75, -1, 1)
    return clipped


class Brush:
    """Paints one object in a unit square that is stretched over (x, y, width, height) of the picture.

    Coordinates run from 0 to 1 from the left and from the top of that box, so that a shape is written once
    and drawn at any size. ``owners`` has the size of the picture and gets the number of the object that
    each pixel belongs to.
    """

    def __init__(
        self, canvas: Image, owners: NDArray[np.int32], owner: int, box: tuple[float, float, float, float]
    ) -> None:
        self._canvas, self._owners, self._owner, self._box = canvas, owners, owner, box

    def part(self, owner: int, left: float, top: float, width: float, height: float) -> Brush:
        """A brush for another object that sits on this one."""
        x, y, w, h = self._box
        return Brush(self._canvas, self._owners, owner, (x + left * w, y + top * h, width * w, height * h))

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

    def text(self, text: str, color: Color, *, share: float) -> None:
        """Text in the middle of the box, as large as ``share`` of its height allows."""
        x, y, w, h = self._box
        ink = _ink(text, max(4, round(h * share)), max(4, round(w * 0.9)))
        height, width = ink.shape
        top, left = round(y + (h - height) / 2), round(x + (w - width) / 2)
        rows = slice(max(0, top), min(self._canvas.shape[0], top + height))
        columns = slice(max(0, left), min(self._canvas.shape[1], left + width))
        if rows.start >= rows.stop or columns.start >= columns.stop:
            return
        alpha = ink[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
        share_of_ink = alpha[..., None].astype(np.float32) / 255
        under = self._canvas[rows, columns].astype(np.float32)
        inked = under * (1 - share_of_ink) + np.array(color, np.float32) * share_of_ink
        self._canvas[rows, columns] = inked.astype(np.uint8)


@lru_cache(maxsize=4096)
def _ink(text: str, height: int, width: int) -> NDArray[np.uint8]:
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
