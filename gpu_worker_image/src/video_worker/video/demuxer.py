"""Read the packets of one video track, from any of them on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from itertools import chain, islice
from typing import TypeAlias

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from video_worker.video.file_view import FileView, OutsideRangesError, VideoFile
from video_worker.video.index import PacketRecord, VideoIndex
from video_worker.video.resets import resets_decoder
from video_worker.video.tracks import Track

BUFFER_BYTES = 1 << 18
TrackPacket: TypeAlias = "Packet[VideoStream]"


class Demuxer(AbstractContextManager["Demuxer"]):
    """The packets of a track, numbered in the order of the file.

    Where seeking leads is checked by comparing packets with the index. If it leads elsewhere, the file is
    read from its start instead.

    Parameters
    ----------
    file
        An open file; it stays open.
    choose
        Chooses the track among those of the file.

    Raises
    ------
    av.FFmpegError, ValueError
        On opening, if FFmpeg cannot make sense of the file.
    """

    def __init__(self, file: VideoFile, choose: Callable[[InputContainer], Track]) -> None:
        self._file = file
        self._container = _open(file)
        self._flow: Iterator[TrackPacket]
        with ExitStack() as on_error:
            on_error.callback(self._container.close)
            self.track = choose(self._container)
            self._begin()
            on_error.pop_all()
        self._can_seek = True
        self._is_index_taken = False
        self._contexts = [self._stream.codec_context]

    def __exit__(self, *_: object) -> None:
        self._container.close()

    def new_context(self) -> VideoCodecContext:
        """A new context to decode the track with."""
        if self._contexts:
            return self._contexts.pop()
        with _open(self._file) as container:
            return _chosen_stream(container, self.track).codec_context

    def read_index(self) -> VideoIndex:
        """Read the whole track; if the file cannot be read further, the index ends there."""
        configuration = self._stream.codec_context.extradata or b""
        return self._index([_record(packet, self.track.codec, configuration) for packet in self._flow])

    def take_index(self, records: Sequence[PacketRecord]) -> VideoIndex:
        """The index with these packets, as another reader of the file has read them.

        From now on, an `OutsideRangesError` is raised if the file would have to be read from its start.
        """
        self._is_index_taken = True
        return self._index(records)

    def _index(self, records: Sequence[PacketRecord]) -> VideoIndex:
        self._next = len(records)
        time_base = self._stream.time_base
        if time_base is None:
            raise ValueError("a track without a time base")
        return VideoIndex(records, time_base)

    def packets(self, records: Sequence[PacketRecord], numbers: range) -> Iterator[TrackPacket]:
        """The packets with these numbers; ``records`` are those of the whole track."""
        for number in numbers:
            packet = self._packet(records[number], number)
            if packet is None:
                return
            yield packet

    def begins_at(self, records: Sequence[PacketRecord], number: int) -> int | None:
        """From which packet on one reads to come to another one; None if that is the start of the file."""
        self._next = len(records)
        begun = self._seek(records[number]) if self._can_seek else None
        if begun is None:
            return None
        places = range(number, -1, -1)
        return next((place for place in places if records[place].position == begun.position), None)

    def _packet(self, record: PacketRecord, number: int) -> TrackPacket | None:
        if number != self._next:
            self._go_to(record, number)
        packet = next(self._flow, None)
        if self._can_seek and (packet is None or not _record(packet).is_same(record)):
            self._can_seek = False
            self._read_up_to(number)
            packet = next(self._flow, None)
        self._next = number + 1
        return packet

    def _go_to(self, record: PacketRecord, number: int) -> None:
        if not (self._can_seek and self._seek(record)):
            self._can_seek = False
            self._read_up_to(number)

    def _read_up_to(self, number: int) -> None:
        """Read the file from its start, up to a packet."""
        if self._is_index_taken:
            raise OutsideRangesError("The index of the video does not lead to its packets")
        self._container.close()
        self._container = _open(self._file)
        self._begin()
        self._flow = islice(self._flow, number, None)

    def _seek(self, record: PacketRecord) -> PacketRecord | None:
        """Seek to a packet, or to one shortly before it, which is returned; None if it was not found."""
        target = record.pts if record.dts is None else record.dts
        if target is None:
            return None
        try:
            self._container.seek(target, stream=self._stream, backward=True)
        except av.FFmpegError:
            return None
        begun: PacketRecord | None = None
        flow = _packets(self._container, self._stream)
        for packet in flow:
            found = _record(packet)
            begun = begun or found
            if found.is_same(record):
                self._flow = chain([packet], flow)
                return begun
            if found.dts is None or found.dts >= target:
                return None
        return None

    def _begin(self) -> None:
        self._stream = _chosen_stream(self._container, self.track)
        self._flow = _packets(self._container, self._stream)
        self._next = 0


def _open(file: VideoFile) -> InputContainer:
    return av.open(FileView(file), "r", format="mov", buffer_size=BUFFER_BYTES)


def _chosen_stream(container: InputContainer, track: Track) -> VideoStream:
    """The stream of the track; the others are not read."""
    for stream in container.streams:
        if stream.index != track.stream_index:
            stream.discard = Discard.all
    stream = container.streams[track.stream_index]
    if not isinstance(stream, VideoStream):
        raise ValueError("the track is no video")
    return stream


def _packets(container: InputContainer, stream: VideoStream) -> Iterator[TrackPacket]:
    """The packets from the present position on.

    An error of memory counts as damage too: FFmpeg raises it if the stated size of a packet is absurd.
    """
    try:
        for packet in container.demux(stream):
            if packet.size:
                yield packet
    except av.FFmpegError:
        return


def _record(packet: TrackPacket, codec: str = "", configuration: bytes = b"") -> PacketRecord:
    is_reset = packet.is_keyframe and bool(codec) and resets_decoder(codec, memoryview(packet), configuration)
    return PacketRecord(
        packet.pts, packet.dts, packet.size, packet.duration or 0, packet.is_discard, is_reset, packet.pos
    )
