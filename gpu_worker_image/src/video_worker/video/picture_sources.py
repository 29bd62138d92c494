"""Where the pictures of a track come from: by its index, or counted where the index cannot be trusted."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Protocol

from av.video.frame import VideoFrame
from video_jobs.domain.sampling import Sampling

from video_worker.video.decoder import TrackDecoder
from video_worker.video.deinterlacer import Decoded, deinterlaced
from video_worker.video.index import VideoIndex
from video_worker.video.selection import Choice, candidates

PICTURES_TRIED = 4
"""So many pictures are decoded on opening, to see whether they come as the index tells."""


@dataclass(frozen=True, slots=True)
class Found:
    """A shown picture, with its time from the first one on; its frame is None if it cannot be decoded."""

    index: int
    time_us: int
    frame: VideoFrame | None


class PictureSource(Protocol):
    """The candidates of a track: the pictures that a sampling selects, decodable or not.

    Attributes
    ----------
    candidates
        How many there are; None if only decoding all of the track tells.
    """

    candidates: int | None

    @property
    def length(self) -> str | None:
        """How long the track is, in words, as far as it was read; None if no picture was found in it."""
        ...

    def found(self, first: int, end: int | None = None) -> Iterator[Found]:
        """The candidates in order, from one of them on, and before another one, by their numbers."""
        ...


class IndexedPictures:
    """Pictures that are found by their timestamps. Segments without a candidate are not decoded."""

    def __init__(self, index: VideoIndex, decoder: TrackDecoder, sampling: Sampling) -> None:
        self._index = index
        self._decoder = decoder
        self._begins = [segment.pictures.start for segment in index.segments]
        self._wanted = candidates(index, sampling)
        self.candidates: int | None = len(self._wanted)

    @property
    def length(self) -> str | None:
        """How long the track is, in words."""
        return f"{round(self._index.duration_us / 1000)} ms"

    def found(self, first: int, end: int | None = None) -> Iterator[Found]:
        """The candidates in order, from one of them on, and before another one, by their numbers."""
        wanted = self._wanted[first:end]
        decoded = deinterlaced(self._decoded(wanted))
        picture = next(decoded, None)
        for index in wanted:
            while picture is not None and picture.index < index:
                picture = next(decoded, None)
            frame = picture.frame if picture is not None and picture.index == index else None
            yield Found(index, self._index.time_us(index), frame)

    def _decoded(self, wanted: Sequence[int]) -> Iterator[Decoded]:
        """The wanted pictures and those decoded with them, in a segment up to the neighbour of the last one.

        An interlaced picture needs its neighbours. That before it may be the last one of the segment before,
        which takes long to decode and is not decoded for other pictures.
        """
        read = 0
        for number, least, most in self._needed(wanted):
            segment = self._index.segments[number]
            first = segment.pictures.start
            for picture in self._decoder.segment(self._index, segment):
                if read < first == picture.index == least and picture.frame.interlaced_frame:
                    yield from self._decoder.segment(self._index, self._index.segments[number - 1])
                yield picture
                read = picture.index + 1
                if picture.index > most:
                    break
            else:
                read = segment.pictures.stop

    def segments(self, first: int, end: int, *, is_interlaced: bool) -> Iterator[int]:
        """The segments that are read for some candidates, by their numbers.

        Those that only an interlaced picture of a video needs that begins with others are not among them.
        """
        for number, least, _ in self._needed(self._wanted[first:end]):
            if is_interlaced and number and least == self._index.segments[number].pictures.start:
                yield number - 1
            yield number

    def _needed(self, wanted: Sequence[int]) -> Iterator[tuple[int, int, int]]:
        """The segments with wanted pictures or the neighbour after one, and their first and last ones."""
        begins = self._begins
        for number in range(bisect_right(begins, wanted[0]) - 1 if wanted else len(begins), len(begins)):
            begin = bisect_left(wanted, begins[number] - 1)
            end = bisect_left(wanted, self._index.segments[number].pictures.stop)
            if begin == len(wanted):
                return
            if begin < end:
                yield number, wanted[begin], wanted[end - 1]


class CountedPictures:
    """Pictures that are counted from the start of the file on; a packet that cannot be decoded counts too.

    A time that goes back counts as that of the picture before, and so does one that is not known.
    """

    candidates: int | None = None

    def __init__(self, index: VideoIndex, decoder: TrackDecoder, sampling: Sampling) -> None:
        self._index = index
        self._decoder = decoder
        self._sampling = sampling
        self._read_us: int | None = None

    @property
    def length(self) -> str | None:
        """How long the track is, in words, by what has been decoded."""
        return None if self._read_us is None else f"at least {round(self._read_us / 1000)} ms"

    def found(self, first: int, end: int | None = None) -> Iterator[Found]:
        """The candidates in order, from one of them on, and before another one, by their numbers."""
        return islice(self._chosen(), first, end)

    def _chosen(self) -> Iterator[Found]:
        choice = Choice(self._sampling)
        for picture in self._shown():
            self._read_us = picture.time_us
            if picture.time_us >= choice.end_us:
                return
            if choice.takes(picture.index, picture.time_us):
                yield picture

    def _shown(self) -> Iterator[Found]:
        """All pictures, those that cannot be decoded included."""
        times: dict[int, int] = {}
        expected = time_us = 0
        for picture in deinterlaced(self._decoded(times)):
            for lost in range(expected, picture.index):
                yield Found(lost, time_us, None)
            time_us = max(time_us, times.pop(picture.index, 0))
            yield Found(picture.index, time_us, picture.frame)
            expected = picture.index + 1

    def _decoded(self, times: dict[int, int]) -> Iterator[Decoded]:
        """The pictures that can be decoded; their times are noted."""
        first_pts: int | None = None
        for number, frame in enumerate(self._decoder.counted(self._index)):
            if frame is None:
                continue
            if frame.pts is not None:
                first_pts = frame.pts if first_pts is None else first_pts
                times[number] = self._index.microseconds(frame.pts - first_pts)
            yield Decoded(number, frame)


def comes_as_indexed(index: VideoIndex, frames: list[VideoFrame]) -> bool:
    """Whether the first pictures of a track come with the timestamps of its index, in their order.

    If each sample holds only one field of a picture, every second one gives no picture of its own. If a
    container lacks the times of display, the timestamps are those of decoding and go back.
    """
    numbers = [index.number_of(frame.pts) for frame in frames]
    known = [number for number in numbers if number is not None]
    if len(known) < len(numbers):
        return False
    steps = [later - earlier for earlier, later in pairwise(known)]
    return min(steps, default=1) == 1
