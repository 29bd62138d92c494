"""Turn frames into bytes; equal frames always give equal bytes.

The format of the results is described in `video_jobs.domain.results`, that of their parts in
`video_jobs.domain.parts`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from video_jobs.domain.parts import NOTES_START, time_and_frame
from video_jobs.domain.results import (
    END_FRAME,
    HEAD,
    INDEX_HEAD,
    INDEX_MAGIC,
    INDEX_RECORD,
    INDEX_VERSION,
    SEPARATOR,
    TAIL,
    TIMES_HEAD,
    US_A_MS,
    microseconds,
    milliseconds,
)
from video_jobs.domain.video import JobWarning, WarningCode

from video_worker.analysis import AnalysedFrame, PartNotes

DECIMALS = 4
_FRAME_START = b'{"frame_index":'
_RECORDS_A_READ = 1 << 12


class FrameBytes(NamedTuple):
    """A frame of a part, with its line of the results."""

    frame_index: int
    time_us: int
    line: bytes


class PartSummary(NamedTuple):
    """How many frames a part has, and its notes."""

    frames: int
    notes: PartNotes


@dataclass(frozen=True, slots=True)
class WrittenResults:
    """How many frames the results have, and the notes of the parts that they come from, in order."""

    frames: int
    notes: tuple[PartNotes, ...]


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


def read_part(part: Path) -> PartSummary:
    """Count the frames of a part and read its notes.

    Raises
    ------
    ValueError
        If the part has no notes, which means that it is not complete.
    """
    with part.open("rb") as lines:
        for count, line in enumerate(lines):
            if line.startswith(NOTES_START):
                return PartSummary(count, _notes_of(line))
    raise ValueError(f"{part.name} ends without notes")


def frames_of_part(part: Path) -> Iterator[AnalysedFrame]:
    """The frames of a part, with the rounded values that the results have."""
    with part.open("rb") as lines:
        for line in lines:
            if line.startswith(NOTES_START):
                return
            time_us, frame = json.loads(line)
            yield AnalysedFrame(frame["frame_index"], time_us / US_A_MS, frame["result"])


def write_results(
    parts: Iterable[Path], results: Path, index: Path, max_frames: int | None = None
) -> WrittenResults:
    """Join parts into the results file and its index: their first ``max_frames`` frames, or all.

    Raises
    ------
    ValueError
        If a part has no notes.
    """
    with results.open("wb") as body, index.open("w+b") as records:
        writer = _Writer(body, records, max_frames)
        notes = []
        for part in parts:
            if writer.is_full:
                break
            notes.append(writer.add(part))
        writer.close()
    return WrittenResults(writer.frames, tuple(notes))


def frames_of_results(results: Path, index: Path) -> Iterator[AnalysedFrame]:
    """The frames of the results that `write_results` wrote."""
    with results.open("rb") as body, index.open("rb") as records:
        body.seek(len(HEAD))
        for _, _, time_us in _records_of(records):
            frame = json.loads(body.readline().removesuffix(SEPARATOR))
            yield AnalysedFrame(frame["frame_index"], time_us / US_A_MS, frame["result"])


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


class _Writer:
    """Writes the results and their index frame by frame."""

    def __init__(self, body: BinaryIO, records: BinaryIO, max_frames: int | None) -> None:
        self._body, self._records, self._max_frames = body, records, max_frames
        records.write(INDEX_HEAD.pack(INDEX_MAGIC, INDEX_VERSION))
        self._position = body.write(HEAD)
        self.frames = 0

    @property
    def is_full(self) -> bool:
        """Whether no further frame is wanted."""
        return self.frames == self._max_frames

    def add(self, part: Path) -> PartNotes:
        """Take the frames of a part; its notes, without what was lost after the last frame taken."""
        last_index = 0
        with part.open("rb") as lines:
            for line in lines:
                if line.startswith(NOTES_START):
                    notes = _notes_of(line)
                    is_after = self.is_full and (notes.first_lost or 0) > last_index
                    return replace(notes, lost=0, first_lost=None) if is_after else notes
                if not self.is_full:
                    frame = _frame_of(line)
                    last_index = frame.frame_index
                    self._write(frame)
        raise ValueError(f"{part.name} ends without notes")

    def close(self) -> None:
        """Write what follows the last frame."""
        self._records.write(INDEX_RECORD.pack(END_FRAME, self._position, 0))
        self._body.write(TIMES_HEAD)
        for number, time_us in enumerate(self._times()):
            self._body.write((b"," if number else b"") + milliseconds(time_us).encode())
        self._body.write(TAIL)

    def _write(self, frame: FrameBytes) -> None:
        if self.frames:
            self._body.write(SEPARATOR)
        self._records.write(INDEX_RECORD.pack(frame.frame_index, self._position, frame.time_us))
        self._position += self._body.write(frame.line) + len(SEPARATOR)
        self.frames += 1

    def _times(self) -> Iterator[int]:
        """The times of all frames, read back from the index: memory must not grow with the video."""
        return (time_us for _, _, time_us in _records_of(self._records))


def _records_of(records: BinaryIO) -> Iterator[tuple[int, int, int]]:
    """The records of an index, without the closing one."""
    records.seek(INDEX_HEAD.size)
    while block := records.read(_RECORDS_A_READ * INDEX_RECORD.size):
        for record in INDEX_RECORD.iter_unpack(block):
            if record[0] != END_FRAME:
                yield record


def _frame_of(line: bytes) -> FrameBytes:
    time_us, frame = time_and_frame(line)
    return FrameBytes(frame_index_of(frame), time_us, frame)


def _notes_of(line: bytes) -> PartNotes:
    part = json.loads(line)["part"]
    sizes = tuple((width, height) for width, height in part["other_sizes"])
    return PartNotes(part["lost"], part["first_lost"], sizes)


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
