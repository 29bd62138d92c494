"""Decode the pictures of a track, so that each depends on the packets of its segment alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from heapq import heappop, heappush
from itertools import islice

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from video_worker.video.deinterlacer import Decoded
from video_worker.video.demuxer import Demuxer, TrackPacket
from video_worker.video.index import Segment, VideoIndex

_EXACT_WITH_FRAME_THREADS = frozenset({"h264", "hevc", "vvc", "vp8", "vp9", "av1", "libdav1d"})
"""Decoders that give the same pictures with several pictures at once; that of MPEG-4 part 2 does not."""

_MOST_WAITING = 16
"""A picture that has not come when so many later ones have is lost. Codecs reorder fewer pictures."""


class DamagedError(Exception):
    """A packet cannot be decoded, or only in part."""


class Decoder:
    """Decodes packets once.

    A decoder keeps something of what it has decoded even if it is flushed, and damaged pictures may show it.
    Therefore each segment is decoded by a new one.

    Parameters
    ----------
    context
        A context that has not been opened.
    threads
        0 lets FFmpeg choose. With several threads, a picture that comes together with an error is lost, and
        what replaces the damage depends on the threads. Therefore damaged segments are decoded with one.
    """

    def __init__(self, context: VideoCodecContext, threads: int) -> None:
        self._is_careful = threads == 1
        self._context = context
        context.thread_count = threads
        context.thread_type = "AUTO" if context.name in _EXACT_WITH_FRAME_THREADS else "SLICE"
        if context.name == "h264":
            # Otherwise FFmpeg guesses for how many pictures one must wait, and drops those that come later.
            context.options = {"strict": "1"}

    @property
    def pixel_aspect(self) -> Fraction | None:
        """Width of a pixel divided by its height, as the last picture told."""
        return self._context.sample_aspect_ratio

    def in_order(self, packets: Iterable[TrackPacket], index: VideoIndex, wanted: range) -> Iterator[Decoded]:
        """The pictures with the indexes ``wanted``, in the order of display.

        Raises
        ------
        DamagedError
            If several threads decode and there is damage.
        """
        waiting: list[tuple[int, int, VideoFrame]] = []
        expected = wanted.start
        for order, frame in enumerate(self.frames(packets)):
            number = None if frame is None else index.number_of(frame.pts)
            if frame is None or number is None or not expected <= number < wanted.stop:
                continue
            heappush(waiting, (number, order, frame))
            while waiting and (waiting[0][0] == expected or len(waiting) > _MOST_WAITING):
                number, _, frame = heappop(waiting)
                yield Decoded(number, frame)
                expected = number + 1
        while waiting:
            number, _, frame = heappop(waiting)
            yield Decoded(number, frame)

    def frames(self, packets: Iterable[TrackPacket]) -> Iterator[VideoFrame | None]:
        """Decode packets to the last picture; None stands for a damaged packet."""
        for packet in packets:
            yield from self._decoded(packet)
        while (rest := self._decoded(None)) == [None]:
            pass
        yield from rest

    def _decoded(self, packet: TrackPacket | None) -> list[VideoFrame | None]:
        try:
            frames = self._context.decode(packet)
        except MemoryError:  # it is an FFmpegError as well
            raise
        except av.EOFError:
            return []
        except av.FFmpegError as error:
            if not self._is_careful:
                raise DamagedError from error
            return [None]
        if not self._is_careful and any(frame.is_corrupt for frame in frames):
            raise DamagedError
        return list(frames)


class TrackDecoder:
    """Decodes a track, with several threads where it is whole and with one where it is not.

    Attributes
    ----------
    pixel_aspect
        Width of a pixel divided by its height, as the first pictures tell; None if they do not.
    """

    def __init__(self, demuxer: Demuxer) -> None:
        self._demuxer = demuxer
        self.pixel_aspect: Fraction | None = None

    def segment(self, index: VideoIndex, segment: Segment) -> Iterator[Decoded]:
        """The pictures of a segment, in the order of display."""
        given = -1
        try:
            for picture in self._with(self._fast(), index, segment):
                yield picture
                given = picture.index
        except DamagedError:
            for picture in self._with(self._careful(), index, segment):
                if picture.index > given:
                    yield picture

    def counted(self, index: VideoIndex) -> Iterator[VideoFrame | None]:
        """All pictures as the decoder gives them; None for a packet that cannot be decoded."""
        packets = self._demuxer.packets(index.packets, range(len(index.packets)))
        return self._careful().frames(packets)

    def first_frames(self, index: VideoIndex, limit: int) -> list[VideoFrame]:
        """The first pictures that can be decoded, as the decoder gives them.

        How many packets it takes for them does not depend on the machine, because one thread decodes.
        """
        decoder = self._careful()
        packets = self._demuxer.packets(index.packets, range(len(index.packets)))
        found = list(islice((frame for frame in decoder.frames(packets) if frame), limit))
        self.pixel_aspect = decoder.pixel_aspect
        return found

    def _with(self, decoder: Decoder, index: VideoIndex, segment: Segment) -> Iterator[Decoded]:
        packets = self._demuxer.packets(index.packets, segment.packets)
        return decoder.in_order(packets, index, segment.pictures)

    def _fast(self) -> Decoder:
        return Decoder(self._demuxer.new_context(), threads=0)

    def _careful(self) -> Decoder:
        return Decoder(self._demuxer.new_context(), threads=1)
