"""Decode a video frame by frame, with FFmpeg through PyAV."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray
from video_jobs.domain.errors import ResourceLimitError, UnreadableVideoError

from video_worker.mp4_container import VideoTrack, read_video_track

Image = NDArray[np.uint8]
"""Height x width x 3, BGR, rotated as it is displayed."""

MAX_FAILED_READS = 25
"""A frame that cannot be read keeps its index; after this many in a row, the rest is not read."""

_SHORTFALL = 0.95


class VideoReader(AbstractContextManager["VideoReader"]):
    """An open video.

    Parameters
    ----------
    path
        A local MP4 file.
    max_pixels
        Largest frame, width times height; None allows any.

    Raises
    ------
    UnreadableVideoError
        On opening, if there is nothing to decode; the message says why.
    ResourceLimitError
        On opening, if the frames are too large.
    """

    def __init__(self, path: Path, max_pixels: int | None = None) -> None:
        self.track: VideoTrack = read_video_track(path)
        self.frames_read = 0
        self._last_timestamp_s = 0.0
        self._index = 0
        _check_size(*self.track.size, max_pixels)  # before anything is decoded
        self._container = _open(path, self.track)
        try:
            self._stream = _video_stream(self._container, self.track)
            # The index may state a wrong size of the pictures.
            self._size = self._stream.codec_context.width, self._stream.codec_context.height
            _check_size(*self._size, max_pixels)
        except (ResourceLimitError, UnreadableVideoError):
            self._container.close()
            raise
        self._stream.thread_type = "AUTO"
        self._reformatter = VideoReformatter()

    def frames(self, stride: int = 1, first: int = 0) -> Iterator[tuple[int, Image]]:
        """Yield every ``stride``-th frame from index ``first`` on, with its index in the video.

        Frames in between are decoded, but not converted.

        Raises
        ------
        UnreadableVideoError
            If no frame can be decoded.
        """
        failed = 0
        for picture in self._pictures():
            index, self._index = self._index, self._index + 1
            if picture is None:
                failed += 1
                if failed == MAX_FAILED_READS:
                    break
                continue
            failed = 0
            self.frames_read += 1
            self._last_timestamp_s = self._time_of(picture)
            if index % stride == 0 and index >= first:
                yield index, self._image_of(picture)
        if self.frames_read == 0:
            raise UnreadableVideoError(
                f"Unable to read video file: none of its frames (codec {self.track.codec!r}) can be "
                "decoded; upload the whole file, or convert it to H.264"
            )

    def warnings(self) -> tuple[str, ...]:
        """After the last frame: whether the video ended too early, in words for the client."""
        found = []
        if self.track.missing_bytes:
            found.append(f"The file is cut off: {self.track.missing_bytes} bytes of it are missing")
        if self._ends_early():
            found.append(f"The video ends early or is damaged: {self._what_was_read()}")
        return tuple(found)

    def _ends_early(self) -> bool:
        """Compare the number of frames or, if that is unknown or an estimate, the time."""
        track = self.track
        if track.frames is None:
            return self._plays_short()
        few = self.frames_read < track.frames * _SHORTFALL - 1
        return few and (not track.is_trimmed or self._plays_short())

    def _plays_short(self) -> bool:
        if self.track.duration_s is None or self.frames_read == 0:
            return False
        frame_s = self._last_timestamp_s / max(1, self.frames_read - 1)
        return self._last_timestamp_s + 2 * frame_s < self.track.duration_s * _SHORTFALL

    def _what_was_read(self) -> str:
        frames = "" if self.track.frames is None else f" of about {self.track.frames}"
        whole_s = "" if self.track.duration_s is None else f" of {self.track.duration_s:.1f} s"
        return f"{self.frames_read}{frames} frames decoded, the last at {self._last_timestamp_s:.1f}{whole_s}"

    def __exit__(self, *_: object) -> None:
        self._container.close()

    def _pictures(self) -> Iterator[VideoFrame | None]:
        """Yield every picture in the order of display; None for a packet that cannot be decoded."""
        for packet in self._packets():
            try:
                pictures = [] if packet is None else packet.decode()
            except MemoryError:  # it is an FFmpegError as well
                raise
            except av.FFmpegError:
                packet, pictures = None, []
            if packet is None:
                yield None
            yield from pictures

    def _packets(self) -> Iterator[av.Packet[VideoStream] | None]:
        """Yield the track's packets; None at the end if the rest of the file cannot be read.

        An error of memory counts as that too: FFmpeg raises it if the stated size of a packet is absurd.
        """
        try:
            yield from self._container.demux(self._stream)
        except av.FFmpegError:
            yield None

    def _time_of(self, picture: VideoFrame) -> float:
        """Seconds since the first picture of the track."""
        start = float((self._stream.start_time or 0) * (self._stream.time_base or 0))
        return (picture.time or start) - start

    def _image_of(self, picture: VideoFrame) -> Image:
        """The picture in the size of the first one, rotated as it is displayed."""
        width, height = self._size
        bgr = self._reformatter.reformat(picture, width, height, "bgr24").to_ndarray()
        turn = _TURNS.get(round(picture.rotation) % 360)
        image = bgr if turn is None else cv2.rotate(bgr, turn)
        return image.astype(np.uint8, copy=False)


_TURNS = {90: cv2.ROTATE_90_COUNTERCLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_CLOCKWISE}
"""OpenCV's names of the rotations, by degrees counterclockwise."""


def _open(path: Path, track: VideoTrack) -> av.container.InputContainer:
    try:
        return av.open(str(path), format="mov")
    except (av.FFmpegError, ValueError) as exc:
        raise _cannot_decode(track) from exc


def _video_stream(container: av.container.InputContainer, track: VideoTrack) -> VideoStream:
    """The first video track that is not a cover picture."""
    for stream in container.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic and stream.codec_context is not None:
            return stream
    raise _cannot_decode(track)


def _cannot_decode(track: VideoTrack) -> UnreadableVideoError:
    return UnreadableVideoError(
        f"Unable to read video file: it is damaged, or its codec {track.codec!r} cannot be "
        "decoded; convert it to H.264"
    )


def _check_size(width: int, height: int, max_pixels: int | None) -> None:
    if max_pixels is not None and width * height > max_pixels:
        raise ResourceLimitError(
            f"The frames have {width}x{height} pixels, more than the {max_pixels} that are allowed; "
            "submit the video at a smaller resolution"
        )
