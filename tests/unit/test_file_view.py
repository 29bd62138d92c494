"""Reading a file of which only some ranges are here: what is not here is never taken for zeros."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from video_jobs.domain.byte_ranges import ByteRange
from video_worker.video.file_view import FileView, OutsideRangesError, VideoFile

CONTENT = b"0123456789"
RANGES = (ByteRange(2, 4), ByteRange(6, 8))


@pytest.fixture
def descriptor(tmp_path: Path) -> Iterator[int]:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    opened = os.open(path, os.O_RDONLY)
    yield opened
    os.close(opened)


@pytest.fixture
def held(descriptor: int) -> VideoFile:
    return VideoFile(descriptor, RANGES)


@pytest.mark.parametrize(
    ("position", "size", "expected"),
    [(2, 1, b"2"), (2, 9, b"23"), (3, 9, b"3"), (6, 2, b"67"), (7, 9, b"7"), (10, 3, b""), (12, 3, b"")],
)
def test_a_read_ends_with_its_range(held: VideoFile, position: int, size: int, expected: bytes) -> None:
    assert held.read(position, size) == expected


@pytest.mark.parametrize("position", [0, 1, 4, 5, 8, 9])
def test_what_is_not_here_is_an_error(held: VideoFile, position: int) -> None:
    with pytest.raises(OutsideRangesError, match=f"from {position} on"):
        held.read(position, 1)


def test_a_whole_read_gives_all_or_an_error(held: VideoFile, descriptor: int) -> None:
    assert held.read_whole(2, 2) == b"23"
    with pytest.raises(OutsideRangesError):
        held.read_whole(2, 3)
    assert VideoFile(descriptor).read_whole(7, 9) == b"789"
    assert VideoFile(descriptor, [ByteRange(7, 10)]).read_whole(7, 9) == b"789"


def test_an_empty_excerpt_has_nothing(descriptor: int) -> None:
    with pytest.raises(OutsideRangesError):
        VideoFile(descriptor, ()).read(0, 1)


def test_reads_are_noted_while_that_is_asked(held: VideoFile) -> None:
    noted: list[ByteRange] = []
    held.read(2, 1)
    with held.noting(noted):
        held.read(3, 9)
        held.read_whole(6, 1)
    held.read(7, 1)
    assert noted == [(3, 4), (6, 7)]


def test_two_views_of_a_file_have_positions_of_their_own(descriptor: int) -> None:
    one, other = (FileView(VideoFile(descriptor)) for _ in range(2))
    assert (one.read(3), other.read(2), one.read(1)) == (b"012", b"01", b"3")
    assert (one.seek(-2, os.SEEK_END), one.read(9), one.tell()) == (8, b"89", 10)
    assert (other.seek(1, os.SEEK_CUR), other.read(1), other.seek(-9, os.SEEK_CUR)) == (3, b"3", 0)
