"""The pictures of a video as they were analysed: the same track, upright, with square pixels, in one size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from av.video.stream import VideoStream

from video_jobs_client.annotate.canvas import FORMAT, RGB, Canvas
from video_jobs_client.errors import AnnotationError
from video_jobs_client.models import Video

_EXACT_WITH_FRAME_THREADS = frozenset({"h264", "hevc", "vvc", "vp8", "vp9", "av1", "libdav1d"})
"""Decoders that give the same pictures with several pictures at once; that of MPEG-4 part 2 does not."""


def analysed_track(container: InputContainer) -> VideoStream:
    """The track that the service analyses: the enabled one; of several the largest; never a cover picture.

    Raises
    ------
    AnnotationError
        If there is none that can be decoded.
    """
    covers = Disposition.attached_pic | Disposition.timed_thumbnails
    tracks = [track for track in container.streams.video if not track.disposition & covers]
    decodable = [track for track in tracks if track.codec_context is not None]
    if not decodable:
        raise AnnotationError("The video has no track that can be decoded")
    return max(decodable, key=_rank)


def _rank(track: VideoStream) -> tuple[bool, int, int]:
    area = track.codec_context.width * track.codec_context.height
    return bool(track.disposition & Disposition.default), area, -track.index


@dataclass(frozen=True, slots=True)
class Form:
    """How stored pictures become those that were analysed.

    Attributes
    ----------
    stored
        Width and height of the first picture as it is stored; later ones are fitted into it.
    squared
        The size with square pixels, before pictures are turned.
    rotation, mirrored
        They are mirrored from left to right first, then turned clockwise.
    """

    stored: tuple[int, int]
    squared: tuple[int, int]
    rotation: int
    mirrored: bool

    @classmethod
    def of(cls, first: VideoFrame, video: Video) -> Form:
        """The form that a job's ``video`` tells.

        Raises
        ------
        AnnotationError
            If the first picture does not fit: pixels are made square by stretching one side.
        """
        stored, rotation = (first.width, first.height), video.rotation
        width, height = video.width, video.height
        squared = (height, width) if rotation in (90, 270) else (width, height)
        longer = [side for side, before in zip(squared, stored, strict=True) if side != before]
        if len(longer) > 1 or (squared < stored and longer):
            raise AnnotationError(
                f"The results are of another video: they have {width}x{height} pixels after a turn by "
                f"{rotation} degrees, the pictures of this one have {stored[0]}x{stored[1]}"
            )
        return cls(stored, squared, rotation, video.mirrored)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the pictures that were analysed."""
        return self.squared[::-1] if self.rotation in (90, 270) else self.squared


class UprightMaker:
    """Makes pictures in one form."""

    def __init__(self, form: Form) -> None:
        self._form = form
        self._reformatter = VideoReformatter()

    def canvas(self, picture: VideoFrame) -> Canvas:
        """A new picture; one of another size is fitted in, with black at two sides."""
        form = self._form
        stored = (picture.width, picture.height)
        if stored == form.stored:
            upright = self._scaled(picture, form.squared)
        else:
            upright = Canvas.black(*form.squared)
            inner = self._scaled(picture, _fitted(stored, form.squared))
            left, top = (upright.width - inner.width) // 4 * 2, (upright.height - inner.height) // 4 * 2
            upright.put(inner, left, top)
        return upright.turned(form.rotation, form.mirrored)

    def _scaled(self, picture: VideoFrame, size: tuple[int, int]) -> Canvas:
        colors = Colorspace.ITU709 if picture.colorspace == RGB else None
        scaled = self._reformatter.reformat(
            picture, *size, FORMAT, dst_colorspace=colors, dst_color_range=ColorRange.MPEG
        )
        return Canvas.of(scaled)


def _fitted(stored: tuple[int, int], squared: tuple[int, int]) -> tuple[int, int]:
    scale = min(Fraction(squared[0], stored[0]), Fraction(squared[1], stored[1]))
    return max(1, round(stored[0] * scale)), max(1, round(stored[1] * scale))


@dataclass(frozen=True, slots=True)
class ShownPicture:
    """A decoded picture, with its time and how long it lasts in ticks of the track."""

    pts: int
    duration: int
    picture: VideoFrame


class PictureReader:
    """Decodes the packets of a track.

    Attributes
    ----------
    first_pts
        When the first picture is shown, as the service tells it; earlier ones are left out.
    """

    def __init__(self, track: VideoStream, video: Video) -> None:
        self._track = track
        self._is_exact = video.frame_count is not None
        context = track.codec_context
        if context.name == "h264":
            # Otherwise FFmpeg guesses for how many pictures one must wait, and drops those that come later.
            context.options = {"strict": "1"}
        context.thread_type = "AUTO" if context.name in _EXACT_WITH_FRAME_THREADS else "SLICE"
        self.first_pts = round(Fraction(video.first_picture_ms) / 1000 / _time_base(track))
        self._last_pts = self.first_pts - 1

    def time_us(self, pts: int) -> int:
        """Microseconds from the first picture on, rounded as in the results."""
        return round((pts - self.first_pts) * _time_base(self._track) * 1_000_000)

    def pictures(self, packet: Packet[VideoStream] | None) -> Iterator[ShownPicture]:
        """The pictures that a packet completes; after the last packet comes None.

        Damaged packets give none, and pictures that come too late because of damage are left out.

        Raises
        ------
        AnnotationError
            If a picture has no time of its own although nothing is damaged.
        """
        try:
            decoded = self._track.codec_context.decode(packet)
        except av.FFmpegError:
            return
        for picture in decoded:
            if picture.pts is not None and picture.pts > self._last_pts:
                self._last_pts = picture.pts
                yield ShownPicture(picture.pts, picture.duration or 0, picture)
            elif not self._is_exact:
                raise AnnotationError(
                    "The pictures of this video have no times of their own: convert it first"
                )


def _time_base(track: VideoStream) -> Fraction:
    if track.time_base is None:
        raise AnnotationError("The track has no time base")
    return track.time_base
