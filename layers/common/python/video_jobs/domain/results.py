"""The format of the results file and of its index, with which a page is read by byte range.

The results file is UTF-8 JSON with one line for each frame; it contains nothing about the job. The times of
the frames follow, in milliseconds from the first picture of the video, in the same order::

    {"results":[
    {"frame_index":0,"result":{...}},
    {"frame_index":5,"result":{...}}
    ],"timestamps_ms":[0,166.833]}

The index begins with `INDEX_HEAD`: `INDEX_MAGIC`, and the version of the format as an unsigned 64-bit
number, padded to the size of a record. Then it has one record (`INDEX_RECORD`) for each frame:
``frame_index`` and the byte offset of the frame's line, both unsigned 64-bit numbers, and the frame's time in
microseconds, a signed one. All numbers are little-endian. A closing record (`END_FRAME`) has the offset at
which the next line would start, and the time 0. Line ``i`` is therefore the bytes
``offset[i] : offset[i + 1] - len(SEPARATOR)``.

Earlier releases wrote results without times, which end with ``]}``, and an index that has no head and whose
records (`UNTIMED_RECORD`) have no time. They are still read.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple, Self

HEAD = b'{"results":[\n'
SEPARATOR = b",\n"
TIMES_HEAD = b'\n],"timestamps_ms":['
TAIL = b"]}\n"
INDEX_MAGIC = b"VJRESIDX"
INDEX_VERSION = 2
INDEX_HEAD = struct.Struct("<8sQ8x")
INDEX_RECORD = struct.Struct("<QQq")
UNTIMED_RECORD = struct.Struct("<QQ")
END_FRAME = 2**64 - 1
US_A_MS = 1000


class IndexRecord(NamedTuple):
    """One frame in the index; ``time_us`` is None in the index of an earlier release."""

    frame_index: int
    offset: int
    time_us: int | None = None


@dataclass(frozen=True, slots=True)
class IndexLayout:
    """Where the records of an index are: the first one at byte ``head_bytes``.

    A head is as long as a record, so that blocks of whole records may begin at the start of the file.
    """

    head_bytes: int
    record_struct: struct.Struct

    @classmethod
    def of(cls, beginning: bytes) -> Self:
        """The layout of the index that begins with these bytes (at least ``INDEX_HEAD.size``, or all).

        Raises
        ------
        ValueError
            If a later release wrote it.
        """
        if not beginning.startswith(INDEX_MAGIC):  # the first frame_index of an index without a head is small
            return cls(0, UNTIMED_RECORD)
        _, version = INDEX_HEAD.unpack_from(beginning)
        if version != INDEX_VERSION:
            raise ValueError(f"an index of results of version {version}")
        return cls(INDEX_HEAD.size, INDEX_RECORD)

    @property
    def has_times(self) -> bool:
        """Whether the records have the times of the frames."""
        return self.record_struct is INDEX_RECORD

    def position(self, number: int) -> int:
        """The byte at which record ``number`` begins."""
        return self.head_bytes + number * self.record_struct.size

    def frames(self, size_bytes: int) -> int:
        """How many frames an index of this size has: the last record closes the file."""
        return (size_bytes - self.head_bytes) // self.record_struct.size - 1

    def record(self, raw: bytes, at: int) -> IndexRecord:
        """The record that begins at byte ``at`` of ``raw``."""
        return IndexRecord(*self.record_struct.unpack_from(raw, at))


def milliseconds(time_us: int) -> str:
    """Microseconds as JSON in milliseconds: ``0``, ``40``, ``33.367``; without needless zeros."""
    whole, rest = divmod(abs(time_us), US_A_MS)
    fraction = f".{rest:03}".rstrip("0") if rest else ""
    return f"{'-' if time_us < 0 else ''}{whole}{fraction}"


def microseconds(timestamp_ms: float) -> int:
    """Milliseconds with at most three decimals as microseconds."""
    return round(timestamp_ms * US_A_MS)


@dataclass(frozen=True, slots=True)
class ResultsPage:
    """Some frames of a results file.

    ``frames_json`` holds them as they are in the file: JSON objects joined by commas, without brackets.
    ``times_json`` holds their times in milliseconds in the same form; None if they are not known.
    ``tracks_json`` holds their lines of the tracks file in the same form; None if they were not asked for.
    A job without a summary has no ``summary_url`` and no ``tracks_url``.
    ``results_url`` is None while there is no file. ``complete`` tells whether there is one; it is None if
    partial results were not asked for.
    """

    frames_json: bytes
    times_json: str | None
    count: int
    next_cursor: str | None
    results_url: str | None
    summary_url: str | None = None
    tracks_url: str | None = None
    tracks_json: bytes | None = None
    complete: bool | None = None


@dataclass(frozen=True, slots=True)
class SummaryPage:
    """A summary as it is in its file; ``summary_json`` is None if it is too large for an answer."""

    summary_json: bytes | None
    summary_url: str
    tracks_url: str
