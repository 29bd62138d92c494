"""A reader of text for tests of the gate: it finds bright words, and tells exactly which pixels it read."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from video_worker.plugins.ocr.reading import Area, Box, Line, Words
from video_worker.video.open_video import Image

SIZE = WIDTH, HEIGHT = 960, 540
PAPER, INK, BRIGHT = 90, 230, 160
_GAP_PX = 24
_LEAST_PX = 10


def picture(*texts: tuple[tuple[int, int], str], seed: int | None = None, noise: float = 3.0) -> Image:
    """White letters on grey, each text with its lower left corner; with a seed, the noise of a video."""
    image = np.full((HEIGHT, WIDTH, 3), PAPER, np.uint8)
    for at, text in texts:
        cv2.putText(image, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.9, (INK, INK, INK), 2, cv2.LINE_AA)
    if seed is None:
        return image
    added = np.random.default_rng(seed).normal(0, noise, (HEIGHT, WIDTH, 1))
    return np.clip(image + added, 0, 255).astype(np.uint8)


class BrightWords:
    """A `TextReader`: pixels side by side that are bright are a line; its text is a checksum of them.

    A line that reaches beyond an area is found as far as it lies in it. What was searched and read is kept.
    """

    language = "bright"

    def __init__(self, *, finds_in_areas: bool = True) -> None:
        self.finds_in_areas = finds_in_areas
        self.searched: list[list[Area]] = []
        self.read_boxes: list[list[Box]] = []
        self._lock = threading.Lock()

    def find(self, image: Image, areas: Sequence[Area]) -> list[Line]:
        with self._lock:
            self.searched.append(list(areas))
        return [Line.upright(box) for area in areas for box in _bright_boxes(image, area)]

    def read(self, image: Image, lines: Sequence[Line]) -> list[Words]:
        return self.read_regions(image, [line.box for line in lines])

    def read_regions(self, image: Image, boxes: Sequence[Box]) -> list[Words]:
        with self._lock:
            self.read_boxes.append([list(box) for box in boxes])
        return [[_word(image, box)] for box in boxes]

    def facts(self) -> dict[str, Any]:
        return {"engine": "bright"}

    @property
    def lines_read(self) -> int:
        return sum(map(len, self.read_boxes))


def _bright_boxes(image: Image, area: Area) -> list[Box]:
    x1, y1, x2, y2 = area
    bright = (image[y1:y2, x1:x2, 0] > BRIGHT).astype(np.uint8)
    joined = cv2.dilate(bright, np.ones((5, _GAP_PX), np.uint8))
    _, labels = cv2.connectedComponents(joined)
    boxes = []
    for label in range(1, labels.max() + 1):
        left, top, width, height = cv2.boundingRect(((labels == label) & (bright > 0)).astype(np.uint8))
        if width * height >= _LEAST_PX:
            boxes.append((left + x1, top + y1, left + x1 + width, top + y1 + height))
    return [[float(value) for value in box] for box in sorted(boxes)]


def _word(image: Image, box: Box) -> dict[str, Any]:
    x1, y1, x2, y2 = (int(value) for value in box)
    seen = np.ascontiguousarray(image[y1:y2, x1:x2, 0] > BRIGHT)
    return {
        "text": f"{zlib.crc32(seen.tobytes()):08x}",
        "confidence": 90.0,
        "bbox": {"x": x1, "y": y1, "width": x2 - x1, "height": y2 - y1},
        "level": 5,
        "line_num": 1,
    }
