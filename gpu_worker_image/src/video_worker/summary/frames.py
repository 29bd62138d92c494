"""What the summary takes from the result of a frame."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any, NamedTuple

from video_worker.results_serializer import DECIMALS

Box = tuple[float, float, float, float]
"""x1, y1, x2, y2 in pixels of the frame."""


class Detection(NamedTuple):
    """An object on one frame; ``confidence`` is 0-1."""

    box: Box
    confidence: float
    class_id: int
    class_name: str


class Reading(NamedTuple):
    """A line of text on one frame; ``confidence`` is 0-1."""

    text: str
    confidence: float
    box: Box


class Frame(NamedTuple):
    """An analysed frame, which stands for the time until the next one (``end_us``)."""

    frame_index: int
    start_us: int
    end_us: int
    detections: tuple[Detection, ...]
    readings: tuple[Reading, ...]


def detections_of(result: Mapping[str, Any]) -> tuple[Detection, ...]:
    """The objects of a result, in its order, rounded as in the results file.

    There are none if a plugin has a form of its own for them: no job fails for the sake of its summary.
    """
    try:
        return tuple(_detection(one) for one in result.get("detections") or ())
    except _OTHER_FORM:
        return ()


def readings_of(result: Mapping[str, Any]) -> tuple[Reading, ...]:
    """The lines of text of a result: neighbouring words with one block and line number.

    There are none if a plugin has a form of its own for them.
    """
    try:
        words = [word for word in result.get("blocks") or () if word["text"].strip()]
        lines = groupby(words, key=lambda word: (word["block_num"], word["line_num"]))
        return tuple(_reading(list(line)) for _, line in lines)
    except _OTHER_FORM:
        return ()


_OTHER_FORM = (LookupError, TypeError, ValueError, AttributeError)


def _detection(one: Mapping[str, Any]) -> Detection:
    return Detection(
        _box(*one["xyxy"]), _rounded(one["confidence"]), int(one["class_id"]), str(one["class_name"])
    )


def _reading(words: list[Mapping[str, Any]]) -> Reading:
    letters = sum(len(word["text"]) for word in words)
    percent = sum(_rounded(word["confidence"]) * len(word["text"]) for word in words) / letters
    boxes = [_box_of_word(word["bbox"]) for word in words]
    left, top, _, _ = (min(edges) for edges in zip(*boxes, strict=True))
    _, _, right, bottom = (max(edges) for edges in zip(*boxes, strict=True))
    text = " ".join(part for word in words for part in word["text"].split())
    return Reading(text, percent / 100, (left, top, right, bottom))


def _box_of_word(place: Mapping[str, float]) -> Box:
    left, top = place["x"], place["y"]
    return _box(left, top, left + place["width"], top + place["height"])


def _box(left: float, top: float, right: float, bottom: float) -> Box:
    return (_rounded(left), _rounded(top), _rounded(right), _rounded(bottom))


def _rounded(value: float) -> float:
    return round(float(value), DECIMALS) + 0.0
