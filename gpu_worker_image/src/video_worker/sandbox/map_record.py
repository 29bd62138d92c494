"""Which bytes the parts of a video need, as a decoder tells it: in pieces, which are checked together.

The bytes are the length of a JSON document (4 bytes, little-endian), that document, and the index.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import msgspec
from msgspec import Meta
from video_jobs.domain.byte_ranges import ByteRange, joined

from video_worker.part_ranges import MOST_RANGES, PartRanges
from video_worker.sandbox.records import MOST_BODY_BYTES, BadRecordError, MapPiece, cleaned
from video_worker.video.open_video import VideoMap

MOST_MAP_BYTES = 64 << 20
_LENGTH_BYTES = 4

_Ranges = Annotated[tuple[tuple[int, int], ...], Meta(max_length=MOST_RANGES)]


class _CheckedRanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    head: _Ranges
    parts: tuple[_Ranges, ...]


def map_pieces(told: VideoMap | None) -> Iterator[MapPiece]:
    """What a decoder says; None is told by the piece that ends all."""
    content = b"" if told is None else _encoded(told)
    for at in range(0, len(content), MOST_BODY_BYTES):
        yield MapPiece(content[at : at + MOST_BODY_BYTES])
    yield MapPiece(b"")


def _encoded(told: VideoMap) -> bytes:
    ranges = msgspec.json.encode(told.ranges)
    return len(ranges).to_bytes(_LENGTH_BYTES, "little") + ranges + told.index


def checked_map(pieces: Iterator[MapPiece], file_bytes: int) -> VideoMap | None:
    """What a decoder has said of a file of this size.

    Raises
    ------
    BadRecordError
        If it is not possible.
    """
    content = bytearray()
    for piece in pieces:
        if not piece.content:
            return _decoded(bytes(content), file_bytes) if content else None
        content += piece.content
        if len(content) > MOST_MAP_BYTES:
            break
    raise BadRecordError("a map of a video has no end")


def _decoded(content: bytes, file_bytes: int) -> VideoMap:
    end = _LENGTH_BYTES + int.from_bytes(content[:_LENGTH_BYTES], "little")
    try:
        said = msgspec.json.decode(content[_LENGTH_BYTES:end], type=_CheckedRanges)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise BadRecordError(f"the ranges cannot be as they are told: {cleaned(str(exc))}") from None
    ranges = [_checked(one, file_bytes) for one in (said.head, *said.parts)]
    return VideoMap(PartRanges(ranges[0], tuple(ranges[1:])), content[end:])


def _checked(said: tuple[tuple[int, int], ...], file_bytes: int) -> tuple[ByteRange, ...]:
    ranges = tuple(ByteRange(*one) for one in said)
    is_inside = all(start >= 0 and end <= file_bytes for start, end in ranges)
    if ranges != joined(ranges) or not is_inside:
        raise BadRecordError("ranges of a file are not in order, or not inside it")
    return ranges
