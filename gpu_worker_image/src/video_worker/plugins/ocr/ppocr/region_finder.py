"""Find lines of text in the boxes of objects (plates, signs)."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from video_worker.plugins.ocr.ppocr.detection import TextMapper
from video_worker.plugins.ocr.ppocr.shapes import GREY, SMALLEST
from video_worker.plugins.ocr.ppocr.text_map import Found, lines_of_map
from video_worker.plugins.ocr.reading import Area, Box, Corners, Line
from video_worker.video.open_video import Image

AROUND = 0.2
"""Margin around a box, in shares of its height."""
INSIDE = 0.06
"""What is left out on each side of a box that is read as one line: the frame of a plate."""
LEAST_PX = 6
"""The height of the smallest box that is searched."""
MOST_ENLARGED = 4.0


@dataclass(frozen=True, slots=True)
class Crop:
    """A part of the frame, scaled to fit into the model's smallest input."""

    pixels: Image
    left: int
    top: int
    scale: float

    @classmethod
    def of(cls, image: Image, area: Area) -> Crop:
        """The part of the frame, in the upper left corner of the input; the rest is grey."""
        left, top, right, bottom = area
        scale = min(SMALLEST[0] / (bottom - top), SMALLEST[1] / (right - left), MOST_ENLARGED)
        size = (max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale)))
        method = cv2.INTER_LINEAR if scale > 1 else cv2.INTER_AREA
        pixels = np.full((*SMALLEST, 3), GREY, np.uint8)
        pixels[: size[1], : size[0]] = cv2.resize(image[top:bottom, left:right], size, interpolation=method)
        return cls(pixels, left, top, scale)

    def in_frame(self, line: Found) -> Found:
        """A line of the crop with its position in the frame."""
        return line.moved(self.left * self.scale, self.top * self.scale, (self.scale, self.scale))


def lines_of_region(mapper: TextMapper, image: Image, box: Box) -> list[Corners]:
    """The lines in and around a box from top to bottom, or all of it as one line if none is found."""
    area = _area_around(box, (image.shape[0], image.shape[1]))
    if area is None:
        return []
    crop = Crop.of(image, area)
    found = [crop.in_frame(line) for line in lines_of_map(mapper.map_of(crop.pixels))]
    if not found:
        return [_inside(box)]
    return [line.corners for line in sorted(found, key=lambda line: (line.box[1] + line.box[3], line.box))]


def _area_around(box: Box, frame: tuple[int, int]) -> Area | None:
    """The box with a margin, inside the frame; None if too little of it is there."""
    x1, y1, x2, y2 = box
    extra = AROUND * (y2 - y1)
    left, top = max(0, round(x1 - extra)), max(0, round(y1 - extra))
    right, bottom = min(frame[1], round(x2 + extra)), min(frame[0], round(y2 + extra))
    return None if min(bottom - top, right - left) < LEAST_PX else (left, top, right, bottom)


def _inside(box: Box) -> Corners:
    x1, y1, x2, y2 = box
    less = INSIDE * (y2 - y1)
    return Line.upright([x1 + less, y1 + less, x2 - less, y2 - less]).corners
