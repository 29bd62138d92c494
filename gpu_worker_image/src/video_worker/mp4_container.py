"""Metadata of an MP4, read from its boxes without decoding anything.

Source: ISO/IEC 14496-12; box names are those of the standard.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from video_jobs.domain.errors import UnreadableVideoError

_MAX_MOOV_BYTES = 256 << 20
_MAX_BOXES = 100_000


@dataclass(frozen=True, slots=True)
class VideoTrack:
    """The first video track.

    Attributes
    ----------
    codec
        Four-character code of its sample description.
    size
        Width and height of a frame in pixels, as stored.
    frames
        How many frames are played; None if the file does not tell.
    is_trimmed
        Whether an edit list leaves frames out, so that ``frames`` is an estimate.
    duration_s
        How long it plays, in seconds; None if the file does not tell.
    missing_bytes
        How many bytes are missing at the end of the file, because it was cut off.
    """

    codec: str
    size: tuple[int, int]
    frames: int | None
    is_trimmed: bool = False
    duration_s: float | None = None
    missing_bytes: int = 0


@dataclass(frozen=True, slots=True)
class _Box:
    kind: bytes
    start: int
    end: int


def read_video_track(path: Path) -> VideoTrack:
    """The video track of an MP4.

    Raises
    ------
    UnreadableVideoError
        If the file has no ``moov`` box or no video track; the message says why.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        boxes = list(_top_level_boxes(file, size))
        moov = next((box for box in boxes if box.kind == b"moov"), None)
        if moov is None:
            raise _unreadable("it has no index (moov box), so it is cut off, unfinished or damaged")
        if moov.end - moov.start > _MAX_MOOV_BYTES:
            raise _unreadable("its index (moov box) is too large")
        file.seek(moov.start)
        track = _video_track_of(memoryview(file.read(moov.end - moov.start)))
    return replace(track, missing_bytes=max(0, boxes[-1].end - size))


def _unreadable(reason: str) -> UnreadableVideoError:
    return UnreadableVideoError(f"Unable to read video file: {reason}; upload the whole, playable file")


def _top_level_boxes(file: BinaryIO, size: int) -> Iterator[_Box]:
    at = 0
    for _ in range(_MAX_BOXES):
        if at + 8 > size:
            return
        file.seek(at)
        head = file.read(16)
        length, header = int.from_bytes(head[:4], "big"), 8
        if length == 1:
            length, header = int.from_bytes(head[8:16], "big"), 16
        elif length == 0:
            length = size - at
        if length < header:
            return
        yield _Box(head[4:8], at + header, at + length)
        at += length


def _children(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    at = 0
    while at + 8 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        header = 8
        if length == 1:
            length, header = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        elif length == 0:
            length = len(data) - at
        if length < header or at + length > len(data):
            return
        yield bytes(data[at + 4 : at + 8]), data[at + header : at + length]
        at += length


def _child(data: memoryview | None, *path: bytes) -> memoryview | None:
    for kind in path:
        if data is None:
            return None
        data = next((body for name, body in _children(data) if name == kind), None)
    return data


def _video_track_of(moov: memoryview) -> VideoTrack:
    for kind, trak in _children(moov):
        handler = _child(trak, b"mdia", b"hdlr") if kind == b"trak" else None
        if handler is not None and bytes(handler[8:12]) == b"vide":
            return _video_track(moov, trak)
    raise _unreadable("it has no video track")


def _sample_description(trak: memoryview) -> tuple[str, tuple[int, int]]:
    """Codec, width and height of the first visual sample entry."""
    stsd = _child(trak, b"mdia", b"minf", b"stbl", b"stsd")
    if stsd is None:
        return "?", (0, 0)
    width, height = int.from_bytes(stsd[40:42], "big"), int.from_bytes(stsd[42:44], "big")
    return bytes(stsd[12:16]).decode("ascii", "replace"), (width, height)


def _video_track(moov: memoryview, trak: memoryview) -> VideoTrack:
    """The track as its boxes describe it.

    An edit list may leave frames out; their share is that by which the track plays shorter than its media."""
    samples = _sample_count(trak) or None  # the index of a fragmented file counts none
    movie_scale, _ = _scale_and_duration(_child(moov, b"mvhd"))
    media_scale, media_duration = _scale_and_duration(_child(trak, b"mdia", b"mdhd"))
    played = _track_duration(_child(trak, b"tkhd"))
    codec, size = _sample_description(trak)
    if not (movie_scale and media_scale and media_duration and played):
        return VideoTrack(codec, size, samples)
    duration_s = played / movie_scale
    if samples is None:
        return VideoTrack(codec, size, None, duration_s=duration_s)
    share = duration_s / (media_duration / media_scale)
    frames = min(samples, max(1, round(samples * share)))
    return VideoTrack(codec, size, frames, frames < samples, duration_s)


def _sample_count(trak: memoryview) -> int:
    table = _child(trak, b"mdia", b"minf", b"stbl")
    sizes = _child(table, b"stsz") or _child(table, b"stz2")
    return 0 if sizes is None else int.from_bytes(sizes[8:12], "big")


def _scale_and_duration(box: memoryview | None) -> tuple[int, int]:
    """Units per second, and the duration in units, of an mvhd or mdhd box; zeros if there is no box."""
    if not box:
        return 0, 0
    if box[0] == 1:
        return int.from_bytes(box[20:24], "big"), int.from_bytes(box[24:32], "big")
    return int.from_bytes(box[12:16], "big"), int.from_bytes(box[16:20], "big")


def _track_duration(tkhd: memoryview | None) -> int:
    if not tkhd:
        return 0
    if tkhd[0] == 1:
        return int.from_bytes(tkhd[28:36], "big")
    return int.from_bytes(tkhd[20:24], "big")
