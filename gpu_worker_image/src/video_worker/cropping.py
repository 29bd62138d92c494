"""Cut out the part of a picture that a job looks at, and move places in it back into the picture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from video_jobs.domain.region import Region

from video_worker.results_serializer import DECIMALS
from video_worker.video.open_video import Image

_PIXEL_DECIMALS = 6
"""Edges are rounded so before they are made whole, since 0.55 * 100 is a little more than 55 in floats."""


class Crop(NamedTuple):
    """A part of a picture in whole pixels; ``right`` and ``bottom`` are outside."""

    left: int
    top: int
    right: int
    bottom: int

    @classmethod
    def of(cls, region: Region, width: int, height: int) -> Self:
        """The pixels that a region touches, at least one, in a picture of this size."""
        left, right = _touched(region.x1, region.x2, width)
        top, bottom = _touched(region.y1, region.y2, height)
        return cls(left, top, right, bottom)

    def cut(self, image: Image) -> Image:
        """These pixels, one row directly after the other, as tools get a whole picture."""
        return np.ascontiguousarray(image[self.top : self.bottom, self.left : self.right])

    def in_picture(self, result: Mapping[str, Any]) -> dict[str, Any]:
        """A result with the places of its ``detections`` and ``blocks`` moved into the whole picture."""
        moves = {"detections": self._moved_object, "blocks": self._moved_word}
        return {
            name: [moves[name](one) for one in value] if name in moves else value
            for name, value in result.items()
        }

    def _moved_object(self, detection: Mapping[str, Any]) -> dict[str, Any]:
        edges: Sequence[float] = detection["xyxy"]
        offsets = (self.left, self.top, self.left, self.top)
        moved = [round(edge + offset, DECIMALS) for edge, offset in zip(edges, offsets, strict=True)]
        return {**detection, "xyxy": moved}

    def _moved_word(self, block: Mapping[str, Any]) -> dict[str, Any]:
        box = block["bbox"]
        return {**block, "bbox": {**box, "x": box["x"] + self.left, "y": box["y"] + self.top}}


def _touched(start: float, end: float, pixels: int) -> tuple[int, int]:
    """The first pixel, and the one after the last, between two fractions of a side."""
    first = min(math.floor(round(start * pixels, _PIXEL_DECIMALS)), pixels - 1)
    return first, min(max(math.ceil(round(end * pixels, _PIXEL_DECIMALS)), first + 1), pixels)
