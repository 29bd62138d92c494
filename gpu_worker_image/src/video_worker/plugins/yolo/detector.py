"""The interface of a detector, for any library that runs the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from video_worker.video.open_video import Image

CONFIDENCE_DECIMALS = 4
PIXEL_DECIMALS = 2
MAX_DETECTIONS = 300


@dataclass(frozen=True, slots=True)
class Detection:
    """A box in pixels of the frame (x1, y1, x2, y2), with confidence 0-1 and class."""

    xyxy: tuple[float, float, float, float]
    confidence: float
    class_id: int
    class_name: str

    @property
    def sort_key(self) -> tuple[float, int, tuple[float, ...]]:
        """Strongest first; equally strong ones in an order that does not depend on how they were found."""
        return (-self.confidence, self.class_id, self.xyxy)


class Detector(Protocol):
    """Finds objects. One `Detector` may be called from several threads."""

    def detect(self, image: Image) -> list[Detection]:
        """The objects of one frame, sorted by `Detection.sort_key`."""
        ...

    def facts(self) -> Mapping[str, Any]:
        """Model, library versions and compute profile."""
        ...


def to_detections(rows: list[list[float]], names: Mapping[int, str]) -> list[Detection]:
    """Rows of (x1, y1, x2, y2, confidence, class id), rounded and sorted."""
    found = [
        Detection(
            xyxy=_pixels(row[:4]),
            confidence=round(row[4], CONFIDENCE_DECIMALS),
            class_id=int(row[5]),
            class_name=names[int(row[5])],
        )
        for row in rows
    ]
    return sorted(found, key=lambda detection: detection.sort_key)


def _pixels(values: list[float]) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = (round(value, PIXEL_DECIMALS) + 0.0 for value in values)
    return x1, y1, x2, y2
