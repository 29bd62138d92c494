"""What a decoder and the analysing process say to each other, over a socket.

A decoder may have been taken over by the file that it reads. So what it says is never unpickled: it is
records of a fixed size, two kinds of them with a body of bounded length, and each value is checked.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import IntEnum
from math import isnan, nan
from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import Meta
from video_jobs.domain.byte_ranges import ByteRange
from video_jobs.domain.errors import NoFrameChosenError, ResourceLimitError, UnreadableVideoError
from video_jobs.domain.sampling import EVERY_PICTURE, Sampling
from video_jobs.domain.video import JobWarning, VideoFacts, WarningCode

from video_worker.part_ranges import MOST_RANGES
from video_worker.video.file_view import OutsideRangesError
from video_worker.video.open_video import OpenVideo

MOST_BODY_BYTES = 16 * 1024
MOST_TEXT = 500
MOST_INDEX = 2**31 - 1
MOST_TIME_US = 2**53
"""Up to here a float holds every whole number; 285 years."""

_MOST_SIDE = 1 << 20
_MOST_MS = MOST_TIME_US / 1000

_RECORD = struct.Struct("<BBHIqqII")  # kind, flags or code, slot, run, index or body length, time, size
_REQUEST = struct.Struct("<BxHIqq")  # kind, slot, run, first candidate, end of the candidates or -1
_JOB = struct.Struct(f"<qqIq3di{2 * MOST_RANGES}q")
# pixels of the largest picture, bytes of a slot, number of slots, sampling; number of ranges or -1, ranges

RECORD_BYTES, REQUEST_BYTES, JOB_BYTES = _RECORD.size, _REQUEST.size, _JOB.size

_HAS_IMAGE, _HAS_STORED_SIZE = 1, 2


class BadRecordError(Exception):
    """A decoder said something that no sound decoder says."""


class FailureCode(IntEnum):
    """Why a decoder gives up."""

    UNREADABLE = 1
    RESOURCE_LIMIT = 2
    OUT_OF_MEMORY = 3
    UNEXPECTED = 4
    NO_FRAME_CHOSEN = 5
    OUTSIDE_RANGES = 6


class JobRecord(NamedTuple):
    """Goes to a decoder together with the descriptors of the file, the shared memory, and perhaps an index.

    If it names ranges, only they are in the file, and the decoder gets the index (`video.index_file`).
    """

    max_pixels: int
    slot_bytes: int
    slots: int
    sampling: Sampling = EVERY_PICTURE
    ranges: tuple[ByteRange, ...] | None = None

    def encode(self) -> bytes:
        """The record as bytes."""
        chosen = self.sampling
        times = (chosen.start_ms, chosen.end_ms, chosen.frames_per_second)
        told = (nan if time is None else time for time in times)
        ranges = self.ranges or ()
        places = [place for one in ranges for place in one] + [0, 0] * (MOST_RANGES - len(ranges))
        count = -1 if self.ranges is None else len(ranges)
        return _JOB.pack(self.max_pixels, self.slot_bytes, self.slots, chosen.stride, *told, count, *places)

    @classmethod
    def decode(cls, content: bytes) -> JobRecord:
        """The record of these bytes."""
        max_pixels, slot_bytes, slots, stride, *told, count = _JOB.unpack(content)[:8]
        places = _JOB.unpack(content)[8 : 8 + 2 * max(0, count)]
        ranges = None if count < 0 else tuple(map(ByteRange, places[::2], places[1::2]))
        start_ms, end_ms, rate = (None if isnan(time) else time for time in told)
        sampling = Sampling(stride=stride, start_ms=start_ms, end_ms=end_ms, frames_per_second=rate)
        return cls(max_pixels, slot_bytes, slots, sampling, ranges)


class FramesRequest(NamedTuple):
    """Asks for the candidates of one run over the video, by their numbers; it ends the run before."""

    run: int
    first: int
    end: int | None = None

    def encode(self) -> bytes:
        """The request as bytes."""
        return _REQUEST.pack(1, 0, self.run, self.first, -1 if self.end is None else self.end)


class MapRequest(NamedTuple):
    """Asks, before any candidates, which bytes parts of so many candidates need."""

    part_frames: int

    def encode(self) -> bytes:
        """The request as bytes."""
        return _REQUEST.pack(3, 0, 0, self.part_frames, -1)


class SlotReturned(NamedTuple):
    """Tells a decoder that the picture in a slot has been copied."""

    slot: int

    def encode(self) -> bytes:
        """The message as bytes."""
        return _REQUEST.pack(2, self.slot, 0, 0, 0)


def decode_request(content: bytes) -> FramesRequest | MapRequest | SlotReturned:
    """What the analysing process, which a decoder trusts, has said."""
    kind, slot, run, first, end = _REQUEST.unpack(content)
    match kind:
        case 1:
            return FramesRequest(run, first, None if end < 0 else end)
        case 2:
            return SlotReturned(slot)
        case _:
            return MapRequest(first)


class Opened(msgspec.Struct, frozen=True):
    """The file was opened."""

    facts: VideoFacts
    warnings: tuple[JobWarning, ...]
    is_divisible: bool
    candidates: int | None


@dataclass(frozen=True, slots=True)
class PictureRecord:
    """A picture in a slot of the shared memory, or one that cannot be decoded and has no slot."""

    run: int
    index: int
    time_us: int
    slot: int | None
    stored_size: tuple[int, int] | None

    def encode(self) -> bytes:
        """The record as bytes."""
        flags = _HAS_IMAGE * (self.slot is not None) | _HAS_STORED_SIZE * (self.stored_size is not None)
        size = self.stored_size or (0, 0)
        return _RECORD.pack(2, flags, self.slot or 0, self.run, self.index, self.time_us, *size)


class RunEnd(NamedTuple):
    """The run has no further picture."""

    run: int

    def encode(self) -> bytes:
        """The record as bytes."""
        return _RECORD.pack(3, 0, 0, self.run, 0, 0, 0, 0)


class MapPiece(NamedTuple):
    """A piece of the answer to a `MapRequest`; an empty one after the last."""

    content: bytes

    def encode(self) -> bytes:
        """The record with its body as bytes."""
        return _with_body(5, 0, self.content)


class Failure(NamedTuple):
    """The decoder gives up."""

    code: FailureCode
    text: str

    @classmethod
    def of(cls, error: Exception) -> Failure:
        """What the decoder tells about an error."""
        if isinstance(error, MemoryError):
            return cls(FailureCode.OUT_OF_MEMORY, "")
        if isinstance(error, UnreadableVideoError):
            return cls(FailureCode.UNREADABLE, error.message)
        if isinstance(error, NoFrameChosenError):
            return cls(FailureCode.NO_FRAME_CHOSEN, error.message)
        if isinstance(error, ResourceLimitError):
            return cls(FailureCode.RESOURCE_LIMIT, error.message)
        if isinstance(error, OutsideRangesError):
            return cls(FailureCode.OUTSIDE_RANGES, error.message)
        return cls(FailureCode.UNEXPECTED, f"{type(error).__name__}: {error}")

    def encode(self) -> bytes:
        """The record with its body as bytes."""
        return _with_body(4, self.code, self.text.encode(errors="replace")[: 4 * MOST_TEXT])


Record = Opened | PictureRecord | RunEnd | MapPiece | Failure


def encode_opened(video: OpenVideo) -> bytes:
    """The record of an opened video."""
    warnings = tuple(JobWarning(one.code, cleaned(one.message)) for one in video.warnings)
    body = Opened(video.facts, warnings, video.is_divisible, video.candidates)
    return _with_body(1, 0, msgspec.json.encode(body))


def decode_record(content: bytes, read: Callable[[int], bytes]) -> Record:
    """Check what a decoder has said.

    Parameters
    ----------
    content
        ``RECORD_BYTES`` bytes.
    read
        Reads so many further bytes.

    Raises
    ------
    BadRecordError
        If any value is not possible.
    """
    kind, flags, slot, run, number, time_us, width, height = _RECORD.unpack(content)
    match kind:
        case 1:
            return _opened(_body(number, read))
        case 2:
            return _picture(flags, PictureRecord(run, number, time_us, slot, (width, height)))
        case 3:
            return RunEnd(run)
        case 4:
            return _failure(flags, _body(number, read))
        case 5:
            return MapPiece(_body(number, read))
        case _:
            raise BadRecordError(f"no record has the kind {kind}")


def _with_body(kind: int, code: int, body: bytes) -> bytes:
    return _RECORD.pack(kind, code, 0, 0, len(body), 0, 0, 0) + body


def _body(length: int, read: Callable[[int], bytes]) -> bytes:
    if not 0 <= length <= MOST_BODY_BYTES:
        raise BadRecordError(f"a body has {length} bytes")
    return read(length)


def _picture(flags: int, said: PictureRecord) -> PictureRecord:
    if not 0 <= said.index <= MOST_INDEX or abs(said.time_us) > MOST_TIME_US:
        raise BadRecordError(f"a picture has the index {said.index} and the time {said.time_us} us")
    checked = said if flags & _HAS_IMAGE else replace(said, slot=None)
    if not flags & _HAS_STORED_SIZE:
        return replace(checked, stored_size=None)
    if said.stored_size is None or not all(1 <= side <= _MOST_SIDE for side in said.stored_size):
        raise BadRecordError(f"a picture has the stored size {said.stored_size}")
    return checked


def _failure(code: int, body: bytes) -> Failure:
    try:
        return Failure(FailureCode(code), cleaned(body.decode(errors="replace")))
    except ValueError:
        raise BadRecordError(f"no failure has the code {code}") from None


def cleaned(text: str) -> str:
    """A text of bounded length in which every character can be printed."""
    return "".join(one if one.isprintable() else " " for one in text[:MOST_TEXT])


_Time = Annotated[float, Meta(ge=-_MOST_MS, le=_MOST_MS)]
_Side = Annotated[int, Meta(ge=1, le=_MOST_SIDE)]


class _CheckedFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    container: Literal["mp4", "mov", "m4v", "3gp"]
    codec: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.\-]{1,32}\Z")]
    width: _Side
    height: _Side
    frame_count: Annotated[int, Meta(ge=0, le=MOST_INDEX + 1)] | None
    duration_ms: Annotated[float, Meta(ge=0, le=_MOST_MS)] | None
    average_frame_rate: Annotated[float, Meta(gt=0, le=1e9)] | None
    first_picture_ms: _Time
    rotation: Literal[0, 90, 180, 270]
    mirrored: bool
    interlaced: bool
    variable_frame_rate: bool
    hdr: Literal["pq", "hlg"] | None


class _CheckedWarning(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    code: WarningCode
    message: Annotated[str, Meta(min_length=1, max_length=MOST_TEXT)]


class _CheckedOpened(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    facts: _CheckedFacts
    warnings: Annotated[list[_CheckedWarning], Meta(max_length=16)]
    is_divisible: bool
    candidates: Annotated[int, Meta(ge=0)] | None


def _opened(body: bytes) -> Opened:
    try:
        said = msgspec.json.decode(body, type=_CheckedOpened)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise BadRecordError(f"the video cannot be as it is told: {cleaned(str(exc))}") from None
    if said.candidates is not None and said.candidates > (said.facts.frame_count or 0):
        raise BadRecordError(f"the video has {said.candidates} candidates, which are more than its pictures")
    warnings = tuple(JobWarning(one.code.value, cleaned(one.message)) for one in said.warnings)
    facts = VideoFacts(**msgspec.structs.asdict(said.facts))
    return Opened(facts, warnings, said.is_divisible, said.candidates)
