"""Fit a frame into the model's input as Ultralytics does: scaled, centred, the rest grey."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from video_worker.video.open_video import Image

_GREY = 114
_HALF_DOWN = 0.1
"""Taken from half of the margin before it is rounded, so that an odd pixel goes to the right and below."""


@dataclass(frozen=True, slots=True)
class Letterbox:
    """Where frames of one size lie in the model's input; all sizes are (height, width) in pixels."""

    frame_size: tuple[int, int]
    input_size: tuple[int, int]
    scaled_size: tuple[int, int]
    top_left: tuple[int, int]

    @classmethod
    def of(cls, frame_size: tuple[int, int], input_size: tuple[int, int]) -> Letterbox:
        """The largest place in the input with the frame's proportions; no side is less than a pixel."""
        scale = min(wanted / given for wanted, given in zip(input_size, frame_size, strict=True))
        height, width = (max(round(side * scale), 1) for side in frame_size)
        top = round((input_size[0] - height) / 2 - _HALF_DOWN)
        left = round((input_size[1] - width) / 2 - _HALF_DOWN)
        return cls(frame_size, input_size, (height, width), (top, left))

    def place(self, image: Image) -> Image:
        """The model's input, with the frame in its place."""
        (height, width), (top, left) = self.scaled_size, self.top_left
        placed = np.full((*self.input_size, 3), _GREY, np.uint8)
        if self.scaled_size != self.frame_size:
            image = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
        placed[top : top + height, left : left + width] = image
        return placed

    def to_frame(self, xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
        """Boxes in pixels of the frame, cut off at its edges, from boxes in pixels of the input."""
        (height, width), (top, left) = self.frame_size, self.top_left
        margins = np.array([left, top, left, top], np.float32)
        scale_x, scale_y = self.scaled_size[1] / width, self.scaled_size[0] / height
        scales = np.array([scale_x, scale_y, scale_x, scale_y], np.float32)
        edges = np.array([width, height, width, height], np.float32)
        placed: NDArray[np.float32] = np.clip((xyxy - margins) / scales, np.float32(0), edges)
        return placed
