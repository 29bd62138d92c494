"""Which bytes of a file its parts need."""

from __future__ import annotations

from functools import cache

from video_jobs.domain.byte_ranges import ByteRange, joined

from video_worker.part_ranges import NEAR_BYTES, few_ranges
from video_worker.video.demuxer import BUFFER_BYTES, Demuxer
from video_worker.video.index import VideoIndex
from video_worker.video.picture_sources import IndexedPictures


class NotRangedError(Exception):
    """Some packets can be read only with the whole file."""


class Mapper:
    """Finds the bytes that a reader needs, if it has the index.

    A part needs whole segments, because how many packets a decoder takes before it gives a picture depends on
    the number of its threads.

    Parameters
    ----------
    is_interlaced
        Whether the first pictures of the video are interlaced: then a picture may need the segment before.
    """

    def __init__(
        self, demuxer: Demuxer, index: VideoIndex, source: IndexedPictures, *, is_interlaced: bool
    ) -> None:
        self._demuxer = demuxer
        self._index = index
        self._source = source
        self._is_interlaced = is_interlaced
        self._segment = cache(self._bytes_of_segment)

    def parts(self, part_frames: int) -> tuple[tuple[ByteRange, ...], ...]:
        """What each part needs, the last one included, which may have fewer candidates.

        Raises
        ------
        NotRangedError
            If a part needs the whole file.
        """
        count = self._source.candidates or 0
        return tuple(self._part(first, first + part_frames) for first in range(0, count, part_frames))

    def _part(self, first: int, end: int) -> tuple[ByteRange, ...]:
        segments = self._source.segments(first, end, is_interlaced=self._is_interlaced)
        return few_ranges([one for number in segments for one in self._segment(number)])

    def _bytes_of_segment(self, number: int) -> tuple[ByteRange, ...]:
        """From the packet to which one seeks; and what FFmpeg reads before it, if it goes back a little."""
        packets = self._index.segments[number].packets
        begin = self._demuxer.begins_at(self._index.packets, packets.start)
        if begin is None:
            raise NotRangedError
        found = []
        for packet in self._index.packets[begin : packets.stop]:
            if packet.position is None:
                raise NotRangedError
            found.append((packet.position, packet.position + packet.size))
        before = BUFFER_BYTES // 2
        return joined((max(0, start - before), end) for start, end in joined(found, gap=NEAR_BYTES))
