"""What is known about a job's video once a worker has opened it, and what the client should know about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoFacts:
    """A video as it is analysed: all coordinates of the results are pixels of ``width`` x ``height``.

    Attributes
    ----------
    container
        ``mp4``, ``mov``, ``m4v`` or ``3gp``, by the file's brand.
    codec
        FFmpeg's name, such as ``h264``.
    width, height
        Size in pixels of every picture, upright and with square pixels.
    frame_count
        How many pictures a player shows; None if the file does not tell before all of it is decoded.
    duration_ms
        From the first picture's start to the last one's end; None where ``frame_count`` is None.
    average_frame_rate
        Pictures a second; None if the video has one picture, or its duration is unknown.
    first_picture_ms
        When the first picture is shown, in the time of the movie; a track may begin later than its sound.
    rotation, mirrored
        How the stored pictures are shown: mirrored from left to right first, then turned clockwise by
        0, 90, 180 or 270 degrees.
    variable_frame_rate
        Whether the time from one picture to the next differs.
    hdr
        The transfer function of a picture of high dynamic range: ``pq`` or ``hlg``; None for all others.
    """

    container: str
    codec: str
    width: int
    height: int
    frame_count: int | None
    duration_ms: float | None
    average_frame_rate: float | None
    first_picture_ms: float
    rotation: int
    mirrored: bool
    interlaced: bool
    variable_frame_rate: bool
    hdr: Literal["pq", "hlg"] | None


class WarningCode(StrEnum):
    """Stable words for `JobWarning.code`."""

    PICTURES_LOST = "pictures_lost"
    FILE_CUT_OFF = "file_cut_off"
    SEVERAL_VIDEO_TRACKS = "several_video_tracks"
    SIZE_CHANGED = "size_changed"
    HDR_MAPPED = "hdr_mapped"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class JobWarning:
    """What the client should know about a completed job: a stable word for programs, and a sentence."""

    code: str
    message: str
