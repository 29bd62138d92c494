"""Parts of every kind of video, from the bytes that they need: the same pictures as from the whole file.

The samples of each video are moved far apart, so that even a short one has bytes that a part does not need.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest
from video_jobs.domain.byte_ranges import ByteRange
from video_jobs.domain.sampling import EVERY_PICTURE, Sampling
from video_worker.part_ranges import MOST_RANGES, Excerpt, PartRanges
from video_worker.video import index
from video_worker.video.file_view import OutsideRangesError
from video_worker.video.picture_sources import PICTURES_TRIED
from video_worker.video.video_reader import VideoReader

from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.fixtures.numbered_videos import PLANNED, make_numbered
from tests.fixtures.spread_files import spread, with_holes
from tests.integration.test_every_video import IS_PROOF, READ
from tests.support.readings import PicturePrint, any_sampling, prints_of, read_video_file
from tests.support.sampled import selected

COUNTED = {"interlaced_h264_fields_a_sample_each", "rare_offsets_missing", "rare_same_time_twice"}
"""Their pictures are counted from the first one on."""
NOT_SOUGHT = {"damaged_start_missing", "edit_several"}
"""FFmpeg does not come to a packet of theirs by its time."""
FRAGMENTED = {name for name in PLANNED if "fragment" in name}
PACKED = {"rare_packed_index"}
"""Where their samples are is told in compressed boxes."""
FROM_THE_WHOLE = COUNTED | NOT_SOUGHT | FRAGMENTED
EXCERPTS = 6 if IS_PROOF else 2


@dataclass(frozen=True, slots=True)
class Spread:
    """A video whose samples lie far apart, and all of its pictures."""

    path: Path
    name: str
    pictures: list[PicturePrint]

    @property
    def times_us(self) -> list[int]:
        return [picture.time_us for picture in self.pictures]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("spread")


@pytest.fixture
def video(request: pytest.FixtureRequest, folder: Path) -> Iterator[Spread]:
    """A short video is decoded from every possible start on, else it would have only one."""
    name = request.param
    with pytest.MonkeyPatch.context() as patch:
        if not name.startswith("long"):
            patch.setattr(index, "SEGMENT_PACKETS", 1)
        yield spread_video(name, folder)


def spread_video(name: str, folder: Path) -> Spread:
    made = make_numbered(name, folder).path
    path = made if name in FRAGMENTED | PACKED else spread(made, folder / f"spread_{made.name}")
    pictures = read_video_file(path).prints()
    if name != "cut_off":  # its last samples are not there
        assert pictures == read_video_file(made).prints()
    return Spread(path, name, pictures)


def excerpt_of(reader: VideoReader, part_frames: int, parts: range, folder: Path) -> Excerpt:
    told = reader.map(part_frames)
    assert told is not None
    (folder / "index").write_bytes(told.index)
    return Excerpt(told.ranges.of(parts.start, parts.stop), folder / "index")


def read_excerpt(path: Path, whole: VideoReader, excerpt: Excerpt, work: Work) -> list[PicturePrint]:
    """Candidates from a file that has only the excerpt; what is told of it is as of the whole one."""
    held = with_holes(path, excerpt.ranges)
    with VideoReader(held, sampling=work.sampling, excerpt=excerpt) as reader:
        assert (reader.facts, reader.warnings) == (whole.facts, whole.warnings)
        assert reader.candidates == whole.candidates
        return list(prints_of(reader.frames(work.candidates.start, work.candidates.stop)))


@dataclass(frozen=True, slots=True)
class Work:
    """Some parts of a run over a video at random."""

    sampling: Sampling
    part_frames: int
    parts: range
    expected: list[PicturePrint]

    @classmethod
    def of(cls, video: Spread, random: np.random.Generator) -> Work:
        sampling = any_sampling(random, video.times_us)
        wanted = selected(video.times_us, sampling)
        part_frames = int(random.choice((1, 3, 8, 50)))
        first = int(random.integers(-(-len(wanted) // part_frames)))
        parts = range(first, first + int(random.integers(1, 4)))
        chosen = wanted[parts.start * part_frames : parts.stop * part_frames]
        return cls(sampling, part_frames, parts, [video.pictures[one] for one in chosen])

    @property
    def candidates(self) -> range:
        return range(self.parts.start * self.part_frames, self.parts.stop * self.part_frames)


@pytest.mark.parametrize("video", [name for name in READ if name not in FROM_THE_WHOLE], indirect=True)
def test_parts_are_the_same_from_the_bytes_that_they_need(video: Spread) -> None:
    random = np.random.default_rng(len(video.name))
    for _ in range(EXCERPTS):
        work = Work.of(video, random)
        with VideoReader(video.path, sampling=work.sampling) as whole:
            excerpt = excerpt_of(whole, work.part_frames, work.parts, video.path.parent)
            assert len(excerpt.ranges) <= MOST_RANGES
            assert read_excerpt(video.path, whole, excerpt, work) == work.expected, work
            # AND with fewer bytes they are the same, or there is an error
            missing = int(random.integers(len(excerpt.ranges)))
            less = replace(excerpt, ranges=excerpt.ranges[:missing] + excerpt.ranges[missing + 1 :])
            with suppress(OutsideRangesError):
                assert read_excerpt(video.path, whole, less, work) == work.expected, work


@pytest.mark.parametrize("video", [name for name in READ if name in FROM_THE_WHOLE], indirect=True)
def test_some_kinds_are_read_only_from_the_whole_file(video: Spread) -> None:
    with VideoReader(video.path) as reader:
        assert reader.map(3) is None
        assert list(prints_of(reader.frames())) == video.pictures


@pytest.fixture(scope="module")
def long_video(folder: Path) -> Spread:
    return spread_video("long_pyramid", folder)


@pytest.fixture(scope="module")
def ranges(long_video: Spread) -> PartRanges:
    with VideoReader(long_video.path) as reader:
        told = reader.map(60)
    assert told is not None
    return told.ranges


@pytest.fixture(scope="module")
def places(long_video: Spread) -> list[ByteRange]:
    """Where the packets are: each is a sample at the start of a mebibyte."""
    with av.open(str(long_video.path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    return [ByteRange(packet.pos or 0, (packet.pos or 0) + packet.size) for packet in packets]


def test_opening_takes_what_one_thread_needs_for_the_first_pictures(
    long_video: Spread, places: list[ByteRange], ranges: PartRanges
) -> None:
    needed = 0
    with av.open(str(long_video.path)) as container:
        container.streams.video[0].thread_count = 1
        shown = [len(packet.decode()) for packet in islice(container.demux(video=0), 50)]
    while sum(shown[:needed]) < PICTURES_TRIED:
        needed += 1
    taken = [any(start <= place.start < end for start, end in ranges.head) for place in places]
    assert taken == [number < needed for number in range(len(places))]


def test_a_part_takes_the_packets_from_the_key_picture_before(
    places: list[ByteRange], ranges: PartRanges
) -> None:
    # FFmpeg seeks to the key picture before the one that is sought, if pictures may be shown in another order
    segments = [range(240), range(228, 480), range(468, 500)]
    for part, needed in enumerate([[0], [0], [0], [0, 1], [1], [1], [1], [1, 2], [2]]):
        taken = {
            number
            for number, place in enumerate(places)
            if any(start <= place.start < end for start, end in ranges.parts[part])
        }
        assert taken == {number for segment in needed for number in segments[segment]}, part


def test_each_packet_from_the_key_picture_before_is_needed(
    long_video: Spread, places: list[ByteRange]
) -> None:
    work = Work(EVERY_PICTURE, 60, range(5, 6), long_video.pictures[300:360])
    path = long_video.path
    with VideoReader(path) as whole:
        excerpt = excerpt_of(whole, work.part_frames, work.parts, path.parent)
        assert read_excerpt(path, whole, excerpt, work) == work.expected
        for number in (228, 240, 299, 330):
            less = replace(excerpt, ranges=tuple(without(excerpt.ranges, places[number])))
            with pytest.raises(OutsideRangesError):
                read_excerpt(path, whole, less, work)


def without(ranges: Iterable[ByteRange], place: ByteRange) -> Iterator[ByteRange]:
    for start, end in ranges:
        for piece in (ByteRange(start, min(end, place.start)), ByteRange(max(start, place.end), end)):
            if piece.size > 0:
                yield piece


def test_an_index_of_another_video_is_refused(long_video: Spread, folder: Path) -> None:
    with VideoReader(long_video.path) as reader:
        index_file = excerpt_of(reader, 60, range(5, 6), folder).index
    excerpt = Excerpt((ByteRange(0, TINY.stat().st_size),), index_file)
    with pytest.raises(OutsideRangesError, match="does not lead to its packets"):
        VideoReader(TINY, excerpt=excerpt)
