"""What a decoder says is checked value by value, and what it may not say is refused."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import asdict
from itertools import repeat
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from video_jobs.domain.byte_ranges import ByteRange
from video_jobs.domain.errors import NoFrameChosenError, ResourceLimitError, UnreadableVideoError
from video_jobs.domain.sampling import EVERY_PICTURE, Sampling
from video_jobs.domain.video import JobWarning, VideoFacts
from video_worker.part_ranges import MOST_RANGES, PartRanges
from video_worker.sandbox.map_record import checked_map, map_pieces
from video_worker.sandbox.records import (
    MOST_BODY_BYTES,
    MOST_TEXT,
    MOST_TIME_US,
    RECORD_BYTES,
    BadRecordError,
    Failure,
    FailureCode,
    FramesRequest,
    JobRecord,
    MapPiece,
    MapRequest,
    Opened,
    PictureRecord,
    Record,
    RunEnd,
    SlotReturned,
    decode_record,
    decode_request,
    encode_opened,
)
from video_worker.video.open_video import VideoMap

FACTS = VideoFacts(
    container="mov",
    codec="h264",
    width=1920,
    height=1080,
    frame_count=10,
    duration_ms=333.333,
    average_frame_rate=29.97,
    first_picture_ms=-21.0,
    rotation=90,
    mirrored=True,
    interlaced=False,
    variable_frame_rate=True,
    hdr="hlg",
)
WARNING = JobWarning("hdr_mapped", "The video has a high dynamic range")


class Video:
    facts = FACTS
    warnings = (WARNING,)
    is_divisible = False
    candidates = 5


def decoded(content: bytes) -> Record:
    rest = content[RECORD_BYTES:]

    def read(size: int) -> bytes:
        assert size <= MOST_BODY_BYTES
        return rest[:size]

    return decode_record(content[:RECORD_BYTES], read)


def with_body(body: bytes, kind: int = 1, code: int = 0) -> bytes:
    return struct.pack("<BBHIqqII", kind, code, 0, 0, len(body), 0, 0, 0) + body


def opened(**changes: Any) -> bytes:
    """What a decoder would say of a video with other facts."""
    said = {
        "facts": asdict(FACTS) | changes,
        "warnings": [asdict(WARNING)],
        "is_divisible": False,
        "candidates": 5,
    }
    return with_body(msgspec.json.encode(said))


@pytest.mark.parametrize(
    "record",
    [
        PictureRecord(1, 0, 0, 3, None),
        PictureRecord(2**32 - 1, 2**31 - 1, -MOST_TIME_US, 0, (1, 1 << 20)),
        PictureRecord(7, 12, 400_000, None, (640, 480)),
        RunEnd(9),
        MapPiece(b""),
        MapPiece(b"0" * MOST_BODY_BYTES),
        Failure(FailureCode.UNREADABLE, "Unable to read: größer"),
    ],
)
def test_a_record_comes_back_as_it_was_said(record: PictureRecord | RunEnd | MapPiece | Failure) -> None:
    assert decoded(record.encode()) == record


def test_the_facts_come_back_as_they_were_said() -> None:
    expected = Opened(FACTS, (WARNING,), is_divisible=False, candidates=5)
    assert decoded(encode_opened(Video())) == expected  # type: ignore[arg-type]
    assert decoded(opened()) == expected


def test_requests_come_back_as_they_were_said() -> None:
    for message in (
        FramesRequest(3, 1 << 40),
        FramesRequest(3, 0, 0),
        FramesRequest(3, 4, 9),
        SlotReturned(2),
        MapRequest(256),
    ):
        assert decode_request(message.encode()) == message
    timed = Sampling(start_ms=33.367, end_ms=1e12, frames_per_second=0.1)
    for sampling in (EVERY_PICTURE, Sampling(stride=1 << 40), timed):
        job = JobRecord(1, 4096, 4, sampling)
        assert JobRecord.decode(job.encode()) == job
    for count in (0, 1, MOST_RANGES):
        ranges = tuple(ByteRange(10 * number, 10 * number + 9) for number in range(count))
        job = JobRecord(1, 4096, 4, timed, ranges)
        assert JobRecord.decode(job.encode()) == job


MAP = VideoMap(
    PartRanges((ByteRange(0, 9),), ((ByteRange(5, 7), ByteRange(9, 99)), ())), bytes(range(256)) * 200
)


def test_a_map_comes_back_as_it_was_said() -> None:
    for told in (MAP, None):
        pieces = list(map_pieces(told))
        assert checked_map(iter(pieces), 99) == told
        assert (len(pieces) > 2) is (told is not None)


@pytest.mark.parametrize(
    "head", [((0, 100),), ((-1, 2),), ((5, 5),), ((5, 4),), ((4, 5), (2, 3)), ((1, 2), (2, 3))]
)
def test_a_map_of_what_no_file_has_is_refused(head: tuple[tuple[int, int], ...]) -> None:
    told = VideoMap(PartRanges(head, ()), b"")  # type: ignore[arg-type]
    with pytest.raises(BadRecordError):
        checked_map(map_pieces(told), 99)


@pytest.mark.parametrize("content", [b"0", b"\2\0\0\0{}", b"\xff\xff\xff\xff[", b"\1\0\0\0\xff"])
def test_a_map_that_is_none_is_refused(content: bytes) -> None:
    with pytest.raises(BadRecordError):
        checked_map(iter([MapPiece(content), MapPiece(b"")]), 99)


def test_a_map_has_an_end() -> None:
    with pytest.raises(BadRecordError, match="no end"):
        checked_map(repeat(MapPiece(b"0" * MOST_BODY_BYTES)), 99)
    ranges = tuple(ByteRange(10 * number, 10 * number + 9) for number in range(MOST_RANGES + 1))
    with pytest.raises(BadRecordError, match="length"):
        checked_map(map_pieces(VideoMap(PartRanges(ranges, ()), b"")), 1000)


@pytest.mark.parametrize(
    "change",
    [
        {"container": "webm"},
        {"codec": "h264\n"},
        {"codec": ""},
        {"width": 0},
        {"height": -1},
        {"width": 1 << 21},
        {"width": 10.5},
        {"width": "10"},
        {"width": True},
        {"frame_count": -1},
        {"frame_count": 1 << 40},
        {"frame_count": 4},
        {"frame_count": None},
        {"duration_ms": -1.0},
        {"duration_ms": 1e300},
        {"average_frame_rate": 0.0},
        {"first_picture_ms": None},
        {"rotation": 45},
        {"mirrored": 1},
        {"hdr": "dolby"},
        {"more": 1},
    ],
)
def test_impossible_facts_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BadRecordError):
        decoded(opened(**change))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"\xff\xfe",
        b"[" * MOST_BODY_BYTES,
        opened()[RECORD_BYTES:].replace(b"29.97", b"NaN"),
        opened()[RECORD_BYTES:].replace(b"29.97", b"1e999"),
        opened()[RECORD_BYTES:].replace(b"hdr_mapped", b"made_up"),
    ],
)
def test_a_body_that_is_none_is_refused(body: bytes) -> None:
    with pytest.raises(BadRecordError):
        decoded(with_body(body))


@given(st.binary(min_size=RECORD_BYTES, max_size=RECORD_BYTES), st.binary(max_size=100))
def test_any_bytes_are_a_record_or_refused(content: bytes, body: bytes) -> None:
    try:
        decode_record(content, lambda size: body[:size])
    except BadRecordError:
        return


def test_a_text_is_bounded_and_without_control_characters() -> None:
    failure = decoded(Failure(FailureCode.UNEXPECTED, "a\x1b[31m\nb\u202e" + "x" * 9999).encode())
    assert isinstance(failure, Failure)
    assert failure.text.startswith("a [31m b x")
    assert len(failure.text) == MOST_TEXT


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (UnreadableVideoError("no"), FailureCode.UNREADABLE, "no"),
        (ResourceLimitError("big"), FailureCode.RESOURCE_LIMIT, "big"),
        (NoFrameChosenError("none"), FailureCode.NO_FRAME_CHOSEN, "none"),
        (MemoryError(), FailureCode.OUT_OF_MEMORY, ""),
        (KeyError("x"), FailureCode.UNEXPECTED, "KeyError: 'x'"),
    ],
)
def test_errors_become_failures(error: Exception, code: FailureCode, text: str) -> None:
    assert Failure.of(error) == Failure(code, text)


def test_other_things_are_refused() -> None:
    no_body: Callable[[int], bytes] = lambda _: b""  # noqa: E731
    for kind in (0, 6, 255):
        with pytest.raises(BadRecordError, match="no record has the kind"):
            decode_record(struct.pack("<BBHIqqII", kind, 0, 0, 0, 0, 0, 0, 0), no_body)
    for length in (-1, MOST_BODY_BYTES + 1, 2**62):
        with pytest.raises(BadRecordError, match="a body has"):
            decode_record(struct.pack("<BBHIqqII", 4, 1, 0, 0, length, 0, 0, 0), no_body)
