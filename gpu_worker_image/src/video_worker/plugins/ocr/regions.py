"""Cut a region out of a frame at the size that Tesseract reads best, and map boxes back to the frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from video_worker.plugins.ocr.engines import GrayImage, to_gray
from video_worker.plugins.ocr.rectangles import iou
from video_worker.video.open_video import Image

ONE_BLOCK, ONE_LINE = 6, 7
"""Tesseract's page segmentation modes for a region: one block, or one line, of text."""

LINE_MARGIN = 0.15
"""Around a line of text, in shares of its height; with more, the frame of a sign is read as text."""

REGION_HEIGHT_PX = 48
"""Regions are scaled to this height; measured on generated plates, 40 to 56 read best."""

SEARCH_HEIGHT_PX = 96
"""Regions are scaled to this height before lines of text are searched in them."""

REGION_LETTER_SHARE = 0.9
"""On a plate, letters fill most of the height."""

INSIDE, AROUND = -0.1, 0.2
"""Margins in shares of the box's height; inside leaves out a plate's frame, which is read as text."""

MIN_HEIGHT_PX = 6
_SAME_REGION_IOU = 0.6


@dataclass(frozen=True, slots=True)
class Region:
    """Pixels of a region, scaled by ``scale``; ``left`` and ``top`` are its corner in the frame."""

    pixels: GrayImage
    left: int
    top: int
    scale: float

    def in_frame(self, block: dict[str, Any]) -> dict[str, Any]:
        """A block of the region with its box in pixels of the frame."""
        box = block["bbox"]
        moved = {
            "x": self.left + round(box["x"] / self.scale),
            "y": self.top + round(box["y"] / self.scale),
            "width": max(1, round(box["width"] / self.scale)),
            "height": max(1, round(box["height"] / self.scale)),
        }
        return block | {"bbox": moved}


def region_of(
    image: Image | GrayImage, xyxy: list[float], margin: float, height_px: int = REGION_HEIGHT_PX
) -> Region | None:
    """The grey region of a box, scaled to ``height_px``; None if it is too small to read."""
    height, width = image.shape[:2]
    x1, y1, x2, y2 = xyxy
    extra = margin * (y2 - y1)
    left, top = max(0, round(x1 - extra)), max(0, round(y1 - extra))
    right, bottom = min(width, round(x2 + extra)), min(height, round(y2 + extra))
    if bottom - top < MIN_HEIGHT_PX or right - left < MIN_HEIGHT_PX:
        return None
    scale = height_px / (bottom - top)
    size = (max(1, round((right - left) * scale)), height_px)
    method = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    part = image[top:bottom, left:right]
    pixels = cv2.resize(part if part.ndim == 2 else to_gray(part), size, interpolation=method)
    return Region(pixels.astype(np.uint8, copy=False), left, top, scale)


def without_doubles(boxes: list[list[float]]) -> list[list[float]]:
    """The boxes that do not cover the same region as an earlier, stronger one."""
    kept: list[list[float]] = []
    for box in boxes:
        if all(iou(box, other) < _SAME_REGION_IOU for other in kept):
            kept.append(box)
    return kept
