"""A picture in the form in which it is encoded: a plane of brightness, and two of colour at half the size.

Drawing on these planes leaves all other pixels as they were decoded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from numpy.typing import NDArray

Plane = NDArray[np.uint8]
FORMAT = "yuv420p"
RGB = 0
"""FFmpeg's number for pictures of red, green and blue; the others tell what brightness means."""


class Color(NamedTuple):
    """Brightness from 16 to 235, and the differences of blue and red, from 16 to 240."""

    y: int
    u: int
    v: int

    @classmethod
    def of_rgb(cls, red: int, green: int, blue: int) -> Self:
        """A colour by its parts of 255. Source: ITU-R BT.709, items 3 and 4."""
        light = 0.2126 * red + 0.7152 * green + 0.0722 * blue
        return cls(
            round(16 + light * 219 / 255),
            round(128 + (blue - light) / 1.8556 * 224 / 255),
            round(128 + (red - light) / 1.5748 * 224 / 255),
        )


class Area(NamedTuple):
    """A rectangle of pixels; ``right`` and ``bottom`` are the first ones outside. All are even numbers."""

    left: int
    top: int
    right: int
    bottom: int

    def overlaps(self, other: Area) -> bool:
        """Whether they have pixels in common."""
        beside = self.right <= other.left or other.right <= self.left
        return not (beside or self.bottom <= other.top or other.bottom <= self.top)

    def rows_columns(self, scale: int = 1) -> tuple[slice, slice]:
        """The part of a plane, whose size is divided by ``scale``."""
        return (
            slice(self.top // scale, self.bottom // scale),
            slice(self.left // scale, self.right // scale),
        )


@dataclass(frozen=True, slots=True)
class Canvas:
    """A picture with an even width and height."""

    y: Plane
    u: Plane
    v: Plane

    @property
    def width(self) -> int:
        """In pixels."""
        return int(self.y.shape[1])

    @property
    def height(self) -> int:
        """In pixels."""
        return int(self.y.shape[0])

    @classmethod
    def black(cls, width: int, height: int) -> Self:
        """A black picture; an odd size is rounded up."""
        shape = (height + 1) // 2, (width + 1) // 2
        grey = np.full((2, *shape), 128, np.uint8)
        return cls(np.full((shape[0] * 2, shape[1] * 2), 16, np.uint8), grey[0], grey[1])

    @classmethod
    def of(cls, picture: VideoFrame) -> Self:
        """A copy of a picture in `FORMAT`. If a size is odd, the last row or column is repeated."""
        y, u, v = (_pixels(plane).copy() for plane in picture.planes)
        return cls(np.pad(y, ((0, y.shape[0] % 2), (0, y.shape[1] % 2)), "edge"), u, v)

    def planes(self) -> tuple[tuple[Plane, int], ...]:
        """Each plane, and by what its size is divided."""
        return (self.y, 1), (self.u, 2), (self.v, 2)

    def turned(self, rotation: int, mirrored: bool) -> Canvas:
        """Mirrored from left to right, then turned clockwise by quarters."""
        planes = (np.fliplr(plane) if mirrored else plane for plane, _ in self.planes())
        return Canvas(*(np.ascontiguousarray(np.rot90(plane, -rotation // 90)) for plane in planes))

    def fill(self, area: Area, color: Color) -> None:
        """Paint an area in one colour."""
        for (plane, scale), value in zip(self.planes(), color, strict=True):
            plane[area.rows_columns(scale)] = value

    def put(self, sprite: Canvas, left: int, top: int) -> None:
        """Copy another picture to an even place; what does not fit in is cut off."""
        right, bottom = min(self.width, left + sprite.width), min(self.height, top + sprite.height)
        area = Area(left, top, right, bottom)
        for (plane, scale), (source, _) in zip(self.planes(), sprite.planes(), strict=True):
            plane[area.rows_columns(scale)] = source[: (bottom - top) // scale, : (right - left) // scale]

    def frame(self) -> VideoFrame:
        """The picture for an encoder."""
        frame = VideoFrame(self.width, self.height, FORMAT)
        for target, (plane, _) in zip(frame.planes, self.planes(), strict=True):
            _pixels(target)[:] = plane
        return frame


def _pixels(plane: VideoPlane) -> Plane:
    """The pixels where FFmpeg keeps them: its rows may be padded."""
    rows = np.frombuffer(memoryview(plane), np.uint8, plane.line_size * plane.height)
    return rows.reshape(plane.height, plane.line_size)[:, : plane.width]
