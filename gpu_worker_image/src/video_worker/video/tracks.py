"""Which video track of a file is analysed."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from av.codec.context import CodecContext
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream
from video_jobs.domain.errors import UnreadableVideoError

from video_worker.video.boxes import FileBoxes


class Track(NamedTuple):
    """The track that is analysed.

    Attributes
    ----------
    stream_index
        FFmpeg's number of it.
    codec
        FFmpeg's name of the codec.
    size
        Width and height in pixels, as the container tells.
    pixel_aspect
        Width of a pixel divided by its height, as the container tells; None if it does not.
    among
        How many video tracks there are to choose from.
    """

    stream_index: int
    codec: str
    size: tuple[int, int]
    pixel_aspect: Fraction | None
    among: int


def choose_track(container: InputContainer, boxes: FileBoxes) -> Track:
    """The enabled (default) track; of several the largest, of equal ones the first; never a cover picture.

    Raises
    ------
    UnreadableVideoError
        If there is no video track, if it is encrypted, or if its codec cannot be decoded.
    """
    pictures = Disposition.attached_pic | Disposition.timed_thumbnails
    tracks = [stream for stream in container.streams.video if not stream.disposition & pictures]
    if not tracks:
        raise UnreadableVideoError("Unable to read video file: it has no video track; upload a video")
    decodable = [track for track in tracks if track.codec_context is not None]
    chosen = max(decodable or tracks, key=_rank)
    _check_encryption(chosen, boxes)
    if not decodable:
        codec = boxes.tracks[chosen.id].codec if chosen.id in boxes.tracks else "?"
        raise UnreadableVideoError(
            f"Unable to read video file: its codec {codec!r} is not supported; convert it to H.264 "
            "(ffmpeg -i input -c:v libx264 -pix_fmt yuv420p output.mp4)"
        )
    context = chosen.codec_context
    size = (context.width, context.height)
    # Without a box that tells, FFmpeg compares the size of the track with that of its last sample entry.
    is_told = chosen.id not in boxes.tracks or boxes.tracks[chosen.id].sizes == (size,)
    aspect = chosen.sample_aspect_ratio if is_told else None
    return Track(chosen.index, codec_name(context), size, aspect, len(decodable))


def codec_name(context: CodecContext) -> str:
    """FFmpeg's name of the codec, not of the decoder for it."""
    return context.codec.canonical_name


def _rank(track: VideoStream) -> tuple[bool, int, int]:
    context = track.codec_context
    area = 0 if context is None else context.width * context.height
    return bool(track.disposition & Disposition.default), area, -track.index


def _check_encryption(track: VideoStream, boxes: FileBoxes) -> None:
    found = boxes.tracks.get(track.id)
    if found is not None and found.encryption is not None:
        scheme = "" if found.encryption == "unknown" else f" (scheme {found.encryption!r})"
        raise UnreadableVideoError(
            f"Unable to read video file: it is encrypted{scheme}; upload the video without encryption (DRM)"
        )
