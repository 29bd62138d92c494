"""What was seen in a video, one row for each object and each text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from video_jobs_client.summary import Summary, track_name


@dataclass(frozen=True, slots=True)
class Seen:
    """An object, or a line of text.

    Attributes
    ----------
    name
        The class and number of an object, or the text.
    in_view_ms
        Without the pauses between ``start_ms`` and ``end_ms``.
    frames
        On how many analysed frames it was seen.
    confidence
        From 0 to 1.
    """

    kind: Literal["object", "text"]
    name: str
    start_ms: float
    end_ms: float
    in_view_ms: float
    frames: int
    confidence: float


def seen(summary: Summary, most: int | None = None) -> list[Seen]:
    """The objects and texts by their start; with ``most``, those that were longest in view."""
    rows = list(_rows(summary))
    if most is not None:
        rows = sorted(rows, key=lambda row: -row.in_view_ms)[:most]
    return sorted(rows, key=lambda row: (row.start_ms, row.end_ms, row.kind, row.name))


def _rows(summary: Summary) -> Iterator[Seen]:
    for track in summary.tracks:
        times = (track.start_ms, track.end_ms, track.in_view_ms)
        yield Seen("object", track_name(track), *times, track.frames, track.confidence)
    for text in summary.texts:
        times = (text.start_ms, text.end_ms, text.in_view_ms)
        yield Seen("text", text.text, *times, text.frames, text.confidence)
