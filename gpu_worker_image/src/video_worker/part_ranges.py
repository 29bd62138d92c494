"""Which bytes of a video its parts need, so that a worker that computes some of them fetches only these."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from video_jobs.domain.byte_ranges import ByteRange, joined

MOST_RANGES = 20
"""Most ranges that are fetched."""

NEAR_BYTES = 1 << 18
"""Ranges with so many bytes between them, or fewer, are fetched as one. FFmpeg reads over small gaps."""


@dataclass(frozen=True, slots=True)
class PartRanges:
    """The bytes that a reader needs.

    Attributes
    ----------
    head
        To open the video.
    parts
        To compute each part.
    """

    head: tuple[ByteRange, ...]
    parts: tuple[tuple[ByteRange, ...], ...]

    def of(self, first_part: int, end_part: int) -> tuple[ByteRange, ...]:
        """For the parts from one on, and before another one; few ranges, in order."""
        parts = self.parts[first_part:end_part]
        return few_ranges([*self.head, *(one for part in parts for one in part)])


def few_ranges(ranges: Iterable[ByteRange]) -> tuple[ByteRange, ...]:
    """At most `MOST_RANGES` that have these bytes, in order."""
    return joined(ranges, gap=NEAR_BYTES, most=MOST_RANGES)


@dataclass(frozen=True, slots=True)
class IndexTarget:
    """Where the index of a video is written, for others who compute some of its parts.

    Nothing is written if the video has fewer complete parts than ``least_parts``, or if no part of its file
    can be read without the rest.
    """

    path: Path
    least_parts: int = 1


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Some ranges of a video, which are at their places in a file of the whole size, and the video's index.

    Attributes
    ----------
    ranges
        What `PartRanges.of` gave for the parts that are computed.
    index
        The file that was written for an `IndexTarget`.
    """

    ranges: tuple[ByteRange, ...]
    index: Path
