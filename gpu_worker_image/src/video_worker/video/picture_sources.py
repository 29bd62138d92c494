"""Where the pictures of a track come from: by its index, or counted where the index cannot be trusted."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Protocol

from av.video.frame import VideoFrame

from video_worker.video.decoder import TrackDecoder
from video_worker.video.deinterlacer import Decoded
from video_worker.video.index import VideoIndex

PICTURES_TRIED = 4
"""So many pictures are decoded on opening, to see whether they come as the index tells."""


class PictureSource(Protocol):
    """The pictures of a track.

    Attributes
    ----------
    count
        How many are shown; None if only decoding all of it tells.
    """

    count: int | None

    def decoded(self, stride: int, first: int) -> Iterator[Decoded]:
        """At least the multiples of ``stride`` from ``first`` on, in order, with the neighbours they need."""
        ...

    def time_us(self, index: int) -> int:
        """When a picture is shown, in microseconds from the first one on."""
        ...


class IndexedPictures:
    """Pictures that are found by their timestamps. Segments without a wanted picture are not decoded."""

    def __init__(self, index: VideoIndex, decoder: TrackDecoder) -> None:
        self._index = index
        self._decoder = decoder
        self.count: int | None = len(index)

    def decoded(self, stride: int, first: int) -> Iterator[Decoded]:
        """At least the wanted pictures, in the order of display."""
        return self._decoder.segments(self._index, self._segments(stride, first))

    def time_us(self, index: int) -> int:
        """When a picture is shown, in microseconds from the first one on."""
        return self._index.time_us(index)

    def _segments(self, stride: int, first: int) -> Iterator[int]:
        """Those with a wanted picture or its neighbour, which an interlaced picture needs."""
        for number, segment in enumerate(self._index.segments):
            begin, end = segment.pictures.start - 1, segment.pictures.stop + 1
            if max(first, -(-begin // stride) * stride) < end:
                yield number


class CountedPictures:
    """Pictures that are counted from the start of the file on; a packet that cannot be decoded counts too."""

    def __init__(self, index: VideoIndex, decoder: TrackDecoder) -> None:
        self._index = index
        self._decoder = decoder
        self._times: dict[int, int] = {}
        self.count: int | None = None

    def decoded(self, stride: int, first: int) -> Iterator[Decoded]:
        """All pictures."""
        first_pts: int | None = None
        for number, frame in enumerate(self._decoder.counted(self._index)):
            if frame is None:
                continue
            if frame.pts is not None:
                first_pts = frame.pts if first_pts is None else first_pts
                self._times[number] = self._index.microseconds(frame.pts - first_pts)
            yield Decoded(number, frame)

    def time_us(self, index: int) -> int:
        """When a picture is shown; a lost one has the time of the one before it."""
        for earlier in [number for number in self._times if number < index - 1]:
            del self._times[earlier]
        known = [time for number, time in self._times.items() if number <= index]
        return max(known, default=0)


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
