"""Write a video with what was found drawn on it, with its exact times and its sound."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from video_jobs_client.annotate.deinterlacer import Deinterlacer
from video_jobs_client.annotate.held import HeldResults
from video_jobs_client.annotate.painter import Painter
from video_jobs_client.annotate.source import Form, PictureReader, ShownPicture, UprightMaker, analysed_track
from video_jobs_client.annotate.writer import DrawnPicture, Mp4Writer
from video_jobs_client.errors import AnnotationError
from video_jobs_client.files import PathOrName, ffmpeg_name, replacing
from video_jobs_client.results import Results


def annotate_video(
    source: PathOrName,
    results: Results,
    target: PathOrName,
    *,
    has_sound: bool = True,
    font: PathOrName | None = None,
) -> None:
    """Write an MP4 (H.264) that shows the results on the video that they come from.

    Each picture keeps its exact time, and is upright and with square pixels, as it was analysed. An odd width
    or height grows by one pixel. Sound tracks are copied as they are; other tracks are left out.

    Parameters
    ----------
    source
        The video that was analysed.
    results
        Its results, with the ``video`` of the job.
    target
        Replaced once all is written.
    has_sound
        False leaves the sound out.
    font
        A TrueType or OpenType file for the labels; None for a usual one, as `LabelMaker` tells.

    Raises
    ------
    AnnotationError
        If the video cannot be read, is not the one that was analysed, or has pictures without times of their
        own.
    SoundError
        If MP4 cannot hold its sound.
    ResultsError
        If the results contradict themselves, or were made without ``video``.
    """
    video = results.video
    with _open(source) as container, replacing(target) as unfinished:
        track = analysed_track(container)
        reader = PictureReader(track, video)
        drawn = _Drawn(reader, results, Painter(video.width, video.height, font))
        sounds = container.streams.audio if has_sound else ()
        with Mp4Writer(unfinished, track, sounds, (video.width, video.height)) as writer:
            for packet in _packets(container, [track, *sounds]):
                if packet.stream is track:
                    writer.encode(drawn.pictures(packet))
                else:
                    writer.copy(packet)
            writer.encode(drawn.rest())
            writer.end()
            drawn.check()


def _open(source: PathOrName) -> InputContainer:
    try:
        return av.open(ffmpeg_name(source), "r", format="mov")
    except (av.FFmpegError, ValueError) as error:
        if isinstance(error, OSError):
            raise
        raise AnnotationError(f"{source} is not a video of the MP4 family") from error


def _packets(container: InputContainer, streams: list[Stream]) -> Iterator[Packet[Any]]:
    """All packets, or those before the place where the file is damaged."""
    try:
        for packet in container.demux(streams):
            if packet.size:
                yield packet
    except av.FFmpegError:
        return


class _Drawn:
    """Makes the pictures of a track upright, and draws their results on them."""

    def __init__(self, reader: PictureReader, results: Results, painter: Painter) -> None:
        self._reader = reader
        self._video = results.video
        self._painter = painter
        self._deinterlacer = Deinterlacer()
        self._held = HeldResults(results.frames())
        self._maker: UprightMaker | None = None
        self._count = 0

    def pictures(self, packet: Packet[VideoStream] | None) -> Iterator[DrawnPicture]:
        """The pictures that a packet completes."""
        for decoded in self._reader.pictures(packet):
            for shown in self._deinterlacer.feed(decoded):
                yield self._picture(shown)

    def rest(self) -> Iterator[DrawnPicture]:
        """The pictures that were held back, after the last packet."""
        yield from self.pictures(None)
        for shown in self._deinterlacer.end():
            yield self._picture(shown)

    def check(self) -> None:
        """Check that the results and the video belong together, once all is drawn.

        Raises
        ------
        AnnotationError
            If there was no picture, or none at the time of a result.
        """
        if not self._count:
            raise AnnotationError("None of the pictures of this video can be decoded")
        if self._held.has_results and not self._held.matches:
            raise AnnotationError("The results are of another video: it has no picture at any of their times")

    def _picture(self, shown: ShownPicture) -> DrawnPicture:
        if self._maker is None:
            self._maker = UprightMaker(Form.of(shown.picture, self._video))
        canvas = self._maker.canvas(shown.picture)
        frame = self._held.at(self._count, self._reader.time_us(shown.pts))
        if frame is not None:
            self._painter.paint(canvas, frame)
        self._count += 1
        return DrawnPicture(shown.pts, shown.duration, canvas)
