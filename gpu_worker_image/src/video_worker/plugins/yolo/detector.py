"""The interface of a detector, for any library that runs the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from video_worker.video.open_video import Image

CONFIDENCE_DECIMALS = 4
PIXEL_DECIMALS = 2
MAX_DETECTIONS = 300
_STEP: float = 10**-CONFIDENCE_DECIMALS


@dataclass(frozen=True, slots=True)
class Wanted:
    """The objects that a job wants.

    Attributes
    ----------
    class_ids
        Their classes; None for all.
    min_confidence
        Their least confidence, as the results tell it; None if the settings decide.
    """

    class_ids: frozenset[int] | None = None
    min_confidence: float | None = None

    def threshold(self, of_settings: float) -> float:
        """What the model's confidence must exceed; the rounded one may be a step above it."""
        return of_settings if self.min_confidence is None else max(0.0, self.min_confidence - _STEP)


EVERYTHING = Wanted()
"""All classes, with the confidence that the settings name."""


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

    @property
    def names(self) -> Mapping[int, str]:
        """The model's classes by their ids."""
        ...

    def detect(self, image: Image, wanted: Wanted = EVERYTHING) -> list[Detection]:
        """The wanted objects of one frame, sorted by `Detection.sort_key`; at most `MAX_DETECTIONS`."""
        ...

    def facts(self) -> Mapping[str, Any]:
        """Model, library versions and compute profile."""
        ...


def to_detections(
    rows: list[list[float]], names: Mapping[int, str], wanted: Wanted = EVERYTHING
) -> list[Detection]:
    """Rows of (x1, y1, x2, y2, confidence, class id), rounded and sorted, with enough confidence."""
    found = [
        Detection(
            xyxy=_pixels(row[:4]),
            confidence=round(row[4], CONFIDENCE_DECIMALS),
            class_id=int(row[5]),
            class_name=names[int(row[5])],
        )
        for row in rows
    ]
    least = wanted.min_confidence or 0.0
    return sorted((one for one in found if one.confidence >= least), key=lambda one: one.sort_key)


def _pixels(values: list[float]) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = (round(value, PIXEL_DECIMALS) + 0.0 for value in values)
    return x1, y1, x2, y2
