"""The index of a track: times, and where decoding can start."""

from __future__ import annotations

from fractions import Fraction

import pytest
from video_worker.video.index import MAX_LEADING, SEGMENT_PACKETS, PacketRecord, VideoIndex
from video_worker.video.resets import resets_decoder

TICKS = Fraction(1, 90_000)


def record(pts: int | None, *, key: bool = False, discarded: bool = False) -> PacketRecord:
    return PacketRecord(pts, pts, 100, 1, discarded, key)


def index_of(*records: PacketRecord, ticks: Fraction = TICKS) -> VideoIndex:
    return VideoIndex(records, ticks)


def group(first: int, length: int) -> list[PacketRecord]:
    return [record(first + number, key=number == 0) for number in range(length)]


def test_times_are_counted_from_the_first_shown_picture() -> None:
    index = index_of(record(0, discarded=True), record(9000), record(12003), record(15006))
    assert len(index) == 3
    assert [index.time_us(number) for number in range(3)] == [0, 33367, 66733]
    assert index.first_us == 100_000


@pytest.mark.parametrize(("ticks", "microseconds"), [(1, 2), (3, 8), (5, 12)])
def test_half_a_microsecond_is_rounded_to_even(ticks: int, microseconds: int) -> None:
    index = index_of(record(0), record(ticks), ticks=Fraction(5, 2_000_000))
    assert index.time_us(1) == microseconds


@pytest.mark.parametrize("records", [[record(0), record(0)], [record(0), record(None)]])
def test_pictures_without_a_timestamp_of_their_own_cannot_be_found_again(records: list[PacketRecord]) -> None:
    assert not index_of(*records).is_exact
    assert index_of(*records).segments == ()


@pytest.mark.parametrize(
    ("steps", "uneven"), [([3000, 3000, 3000], False), ([3000, 3001, 3000], False), ([3000, 6000], True)]
)
def test_a_rate_is_uneven_if_rounding_does_not_explain_it(steps: list[int], uneven: bool) -> None:
    times = [sum(steps[:number]) for number in range(len(steps) + 1)]
    assert index_of(*map(record, times)).is_uneven is uneven


def test_segments_begin_at_key_pictures_that_are_far_enough_apart() -> None:
    groups = [group(first, 150) for first in (0, 150, 300, 450)]
    segments = index_of(*(one for packets in groups for one in packets)).segments
    assert [segment.packets for segment in segments] == [range(300), range(300, 600)]
    assert [segment.pictures for segment in segments] == [range(300), range(300, 600)]


def test_pictures_between_two_groups_are_decoded_with_the_first() -> None:
    length = SEGMENT_PACKETS
    leading = [record(length), record(length + 1)]
    packets = [*group(0, length), record(length + 2, key=True), *leading, record(length + 3)]
    first, second = index_of(*packets).segments
    assert (first.packets, first.pictures) == (range(length + 3), range(length + 2))
    assert (second.packets, second.pictures) == (range(length, length + 4), range(length + 2, length + 4))


def test_a_key_picture_with_too_many_before_it_is_no_start() -> None:
    length = SEGMENT_PACKETS
    leading = [record(length + number) for number in range(MAX_LEADING + 1)]
    index = index_of(*group(0, length), record(length + 99, key=True), *leading, record(length + 100))
    assert len(index.segments) == 1


def test_pictures_that_refer_to_what_was_cut_away_do_not_count() -> None:
    index = index_of(record(2, key=True), record(0), record(1), record(3))
    assert len(index.without_dangling({2, 3})) == 2
    assert len(index.without_dangling({0, 1})) == 4
    assert index.without_dangling({2, 3}).first_us == round(2 * TICKS * 1_000_000)


@pytest.mark.parametrize(
    ("codec", "unit", "resets"),
    [
        ("h264", b"\x65\x88", True),
        ("h264", b"\x06\x05", False),
        ("h264", b"\x41\x9a", False),
        ("hevc", b"\x26\x01", True),
        ("hevc", b"\x2a\x01", True),
        ("hevc", b"\x02\x01", False),
        ("vvc", b"\x00\x39", True),
        ("vvc", b"\x00\x51", False),
        ("mjpeg", b"\xff\xd8", True),
        ("a codec of tomorrow", b"\x65\x88", False),
    ],
)
def test_which_key_pictures_reset_the_decoder(codec: str, unit: bytes, resets: bool) -> None:
    packet = b"\0\0\0\2\x09\x10" + b"\0\0\0\2" + unit
    assert resets_decoder(codec, packet, b"") is resets


def test_the_length_of_a_unit_may_take_fewer_bytes() -> None:
    two_bytes = b"\x01\x64\x00\x1f\xfd"
    assert resets_decoder("h264", b"\0\2\x65\x88", two_bytes)
    assert not resets_decoder("h264", b"\0\2\x65\x88", b"")
