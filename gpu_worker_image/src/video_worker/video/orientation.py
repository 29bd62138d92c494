"""How the stored pictures of a video are to be shown: mirrored, then turned by quarters.

Source: ISO/IEC 14496-12, 6.2.2 (the matrix of a track header), which FFmpeg hands over with the pictures.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from math import atan2, degrees

import cv2
import numpy as np
from av.sidedata.sidedata import SideData
from av.video.frame import VideoFrame

from video_worker.video.open_video import Image

_MATRIX = struct.Struct("=9i")
_TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


@dataclass(frozen=True, slots=True)
class Orientation:
    """Mirrored from left to right first, then turned clockwise by ``rotation`` degrees."""

    rotation: int = 0
    mirrored: bool = False

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height as they are shown."""
        return (height, width) if self.rotation in (90, 270) else (width, height)

    def apply(self, image: Image) -> Image:
        """The picture as it is shown."""
        if self.mirrored:
            image = cv2.flip(image, 1).astype(np.uint8, copy=False)
        if self.rotation:
            image = cv2.rotate(image, _TURNS[self.rotation]).astype(np.uint8, copy=False)
        return image


def orientation_of(picture: VideoFrame) -> Orientation:
    """The orientation that a picture states; a turn that is no quarter is rounded to one."""
    try:
        data = picture.side_data.get("DISPLAYMATRIX")
    except ValueError:  # it has data of a kind that PyAV does not know, such as EXIF
        return Orientation(round(-picture.rotation / 90) % 4 * 90)
    matrix = bytes(data) if isinstance(data, SideData) else b""
    if len(matrix) < _MATRIX.size:
        return Orientation()
    a, b, _, c, d, *_ = _MATRIX.unpack(matrix[: _MATRIX.size])
    if a * d - b * c == 0:
        return Orientation()
    mirrored = a * d - b * c < 0
    # The matrix maps a point (x, y) to (a x + c y, b x + d y), with y downwards.
    turned = degrees(atan2(-b, -a) if mirrored else atan2(b, a))
    return Orientation(round(turned / 90) % 4 * 90, mirrored)
