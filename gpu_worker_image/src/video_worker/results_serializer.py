"""Turn frames into bytes; equal frames always give equal bytes.

The format of the results is described in `video_jobs.domain.results`, that of their parts in
`video_jobs.domain.parts`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

from video_jobs.domain.parts import NOTES_START, time_and_frame
from video_jobs.domain.results import US_A_MS, microseconds
from video_jobs.domain.video import JobWarning, WarningCode

from video_worker.analysis import AnalysedFrame, PartNotes

DECIMALS = 4
_FRAME_START = b'{"frame_index":'


class FrameBytes(NamedTuple):
    """A frame of a part: ``line`` is its line of the results."""

    frame_index: int
    time_us: int
    line: bytes


def frame_line(frame: Mapping[str, Any]) -> bytes:
    """One frame as one line of JSON: sorted keys, fixed rounding, UTF-8, no NaN.

    Raises
    ------
    ValueError
        If a number is NaN or infinite.
    """
    text = json.dumps(
        _normal(frame), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode()


def frame_index_of(line: bytes) -> int:
    """The ``frame_index`` of a line that `frame_line` made."""
    end = line.index(b",", len(_FRAME_START))
    return int(line[len(_FRAME_START) : end])


def part_line(frame: AnalysedFrame) -> bytes:
    """One frame as one line of a part, with the line's end."""
    line = frame_line({"frame_index": frame.frame_index, "result": frame.result})
    return b"[%d,%b]\n" % (microseconds(frame.timestamp_ms), line)


def notes_line(notes: PartNotes) -> bytes:
    """The notes of a part as its last line, with the line's end."""
    return frame_line({"part": asdict(notes)}) + b"\n"


def is_notes(line: bytes) -> bool:
    """Whether a line of a part has the notes, and not a frame."""
    return line.startswith(NOTES_START)


def notes_of(line: bytes) -> PartNotes:
    """What `notes_line` wrote."""
    part = json.loads(line)["part"]
    sizes = tuple((width, height) for width, height in part["other_sizes"])
    return PartNotes(part["lost"], part["first_lost"], sizes)


def read_frame(line: bytes) -> tuple[FrameBytes, AnalysedFrame]:
    """What `part_line` wrote: the bytes for the results, and the frame with the rounded values in them."""
    time_us, text = time_and_frame(line)
    frame_index = frame_index_of(text)
    analysed = AnalysedFrame(frame_index, time_us / US_A_MS, json.loads(text)["result"])
    return FrameBytes(frame_index, time_us, text), analysed


def warnings_of(notes: Iterable[PartNotes]) -> tuple[JobWarning, ...]:
    """What the client should know about the pictures of all parts."""
    every = tuple(notes)
    lost = sum(part.lost for part in every)
    first = min((part.first_lost for part in every if part.first_lost is not None), default=None)
    sizes = sorted({size for part in every for size in part.other_sizes})
    warnings = []
    if lost:
        warnings.append(JobWarning(WarningCode.PICTURES_LOST, _lost_sentence(lost, first)))
    if sizes:
        named = ", ".join(f"{width}x{height}" for width, height in sizes)
        message = f"The size of the pictures changes: some have {named}; they were fitted into the first size"
        warnings.append(JobWarning(WarningCode.SIZE_CHANGED, message))
    return tuple(warnings)


def _lost_sentence(lost: int, first: int | None) -> str:
    if lost == 1:
        return f"1 picture could not be decoded, at frame_index {first}; its index stays unused"
    where = f"the first at frame_index {first}"
    return f"{lost} pictures could not be decoded, {where}; their indexes stay unused"


def _normal(value: Any) -> Any:
    match value:
        case float():
            return round(value, DECIMALS) + 0.0  # adding zero turns -0.0 into 0.0
        case Mapping():
            return {str(key): _normal(item) for key, item in value.items()}
        case list() | tuple():
            return [_normal(item) for item in value]
    return value
