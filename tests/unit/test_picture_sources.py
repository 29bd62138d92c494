"""What is decoded for a choice of pictures: nothing that it does not need."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest
from av.video.frame import VideoFrame
from video_jobs.domain.sampling import Sampling
from video_worker.video.deinterlacer import Decoded
from video_worker.video.index import SEGMENT_PACKETS, PacketRecord, Segment, VideoIndex
from video_worker.video.picture_sources import CountedPictures, IndexedPictures

SEGMENTS = 4
FRAME = VideoFrame(16, 16)
INDEX = VideoIndex(
    [
        PacketRecord(number, number, 100, 1, False, number % SEGMENT_PACKETS == 0)
        for number in range(SEGMENTS * SEGMENT_PACKETS)
    ],
    Fraction(1, 10),
)
"""Ten pictures a second; decoding can start every 24 s."""


class NotedDecoder:
    """Notes which pictures are decoded; some come as damaged."""

    def __init__(self, *times: int | None) -> None:
        self.decoded: list[int] = []
        self._times = times

    def segment(self, index: VideoIndex, segment: Segment) -> Iterator[Decoded]:
        for picture in segment.pictures:
            self.decoded.append(picture)
            yield Decoded(picture, FRAME)

    def counted(self, index: VideoIndex) -> Iterator[VideoFrame | None]:
        for number, time in enumerate(self._times):
            self.decoded.append(number)
            frame = VideoFrame(16, 16)
            frame.pts = time
            yield None if time is None else frame


@pytest.mark.parametrize(
    ("chosen", "first", "decoded"),
    [
        ({}, 0, [range(960)]),
        ({}, 500, [range(480, 960)]),
        ({"start_ms": 24_000}, 0, [range(240, 960)]),
        ({"start_ms": 24_100}, 0, [range(240, 960)]),
        ({"start_ms": 30_000, "end_ms": 47_900}, 0, [range(240, 479)]),
        ({"end_ms": 5_000}, 0, [range(50)]),
        ({"end_ms": 5_000}, 50, []),
        ({"frames_per_second": 0.02}, 0, [range(2), range(480, 501)]),
        ({"frames_per_second": 0.02, "start_ms": 10_000}, 1, [range(480, 601)]),
        ({"stride": 480}, 0, [range(2), range(480, 481)]),
        ({"stride": 479}, 0, [range(2), range(240, 481), range(720, 959)]),
        ({"stride": 700}, 1, [range(480, 701)]),
    ],
)
def test_pictures_that_no_candidate_needs_are_not_decoded(
    chosen: dict[str, Any], first: int, decoded: list[range]
) -> None:
    decoder = NotedDecoder()
    list(IndexedPictures(INDEX, decoder, Sampling(**chosen)).found(first))  # type: ignore[arg-type]
    assert decoder.decoded == [number for numbers in decoded for number in numbers]


def test_candidates_after_the_end_are_not_decoded() -> None:
    decoder = NotedDecoder()
    found = IndexedPictures(INDEX, decoder, Sampling(stride=2)).found(250, 300)  # type: ignore[arg-type]
    assert [one.index for one in found] == list(range(500, 600, 2))
    assert decoder.decoded == list(range(480, 599))


def counted(chosen: dict[str, Any], first: int = 0) -> tuple[list[tuple[int, int, bool]], list[int]]:
    """The pictures that are found among some, with their times in tenths, and those that were decoded."""
    decoder = NotedDecoder(0, 1, None, 3, 2, 4, None, 9, 9, 12, 15)
    found = CountedPictures(INDEX, decoder, Sampling(**chosen)).found(first)  # type: ignore[arg-type]
    return [(one.index, one.time_us // 100_000, one.frame is None) for one in found], decoder.decoded


LOST = True


@pytest.mark.parametrize(
    ("chosen", "first", "expected", "decoded"),
    [
        ({"end_ms": 300}, 0, [(0, 0, not LOST), (1, 1, not LOST), (2, 1, LOST)], 4),
        (
            {"start_ms": 300, "end_ms": 1000, "stride": 2},
            0,
            [(4, 3, not LOST), (6, 4, LOST), (8, 9, not LOST)],
            10,
        ),
        ({"start_ms": 300, "end_ms": 1000, "stride": 2}, 2, [(8, 9, not LOST)], 10),
        ({"frames_per_second": 2.5}, 0, [(0, 0, False), (5, 4, False), (7, 9, False), (9, 12, False)], 11),
        ({"frames_per_second": 2.5}, 3, [(9, 12, not LOST)], 11),
    ],
)
def test_counted_pictures_are_chosen_while_they_are_decoded(
    chosen: dict[str, Any], first: int, expected: list[tuple[int, int, bool]], decoded: int
) -> None:
    assert counted(chosen, first) == (expected, list(range(decoded)))


def test_how_long_a_video_is_can_be_told_when_no_picture_is_found() -> None:
    decoder = NotedDecoder(0, 4, 9)
    indexed = IndexedPictures(INDEX, decoder, Sampling(start_ms=96_000))  # type: ignore[arg-type]
    counted = CountedPictures(INDEX, decoder, Sampling(start_ms=901))  # type: ignore[arg-type]
    assert (indexed.candidates, counted.candidates, counted.length) == (0, None, None)
    assert (list(indexed.found(0)), list(counted.found(0))) == ([], [])
    assert (indexed.length, counted.length) == ("96000 ms", "at least 900 ms")
