"""Decode a video frame by frame, with OpenCV's FFmpeg backend."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from video_jobs.domain.errors import ResourceLimitError, UnreadableVideoError

from video_worker.mp4_container import VideoTrack, read_video_track

Image = NDArray[np.uint8]
"""Height x width x 3, BGR, upright as displayed."""

MAX_FAILED_READS = 25
"""A frame that cannot be read uses up its index; after this many in a row the file has ended."""

_SHORTFALL = 0.95


class VideoReader(AbstractContextManager["VideoReader"]):
    """An open video.

    Parameters
    ----------
    path
        A local MP4 file.
    max_pixels
        Largest frame, width times height; None takes any.

    Raises
    ------
    UnreadableVideoError
        On opening, with the reason, where there is nothing to decode.
    ResourceLimitError
        On opening, where the frames are too large.
    """

    def __init__(self, path: Path, max_pixels: int | None = None) -> None:
        self.track: VideoTrack = read_video_track(path)
        self.frames_read = 0
        self._last_timestamp_s = 0.0
        self._index = 0
        _check_size(*self.track.size, max_pixels)  # before anything is decoded
        self._capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
        if not self._capture.isOpened():
            raise UnreadableVideoError(
                f"Unable to read video file: it is damaged, or its codec {self.track.codec!r} cannot be "
                "decoded; convert it to H.264"
            )
        self._check_decoded_size(max_pixels)
        self._capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)  # the default changed between releases

    def frames(self, stride: int = 1, first: int = 0) -> Iterator[tuple[int, Image]]:
        """Every ``stride``-th frame from index ``first`` on, with its index in the video.

        Frames between are grabbed, never sought: seeking is slower and not exact.

        Raises
        ------
        UnreadableVideoError
            If not one frame can be decoded.
        """
        failed = 0
        while failed < MAX_FAILED_READS and not self._is_past_the_end(failed):
            index, self._index = self._index, self._index + 1
            image = self._next_image(wanted=index % stride == 0 and index >= first)
            if image is None:
                failed += 1
                continue
            failed = 0
            self.frames_read += 1
            self._last_timestamp_s = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            if image.size:
                yield index, image
        if self.frames_read == 0:
            raise UnreadableVideoError(
                f"Unable to read video file: not one frame of it (codec {self.track.codec!r}) can be "
                "decoded; upload the whole file, or convert it to H.264"
            )

    def warnings(self) -> tuple[str, ...]:
        """What a caller should know after the last frame: the video ended before its time."""
        found = []
        if self.track.missing_bytes:
            found.append(f"The file is cut off: {self.track.missing_bytes} bytes of it are missing")
        if self._ends_early():
            found.append(f"The video ends early or is damaged: {self._what_was_read()}")
        return tuple(found)

    def _check_decoded_size(self, max_pixels: int | None) -> None:
        """The index may lie about the size that the pictures have."""
        width = int(self._capture.get(cv2.CAP_PROP_FRAME_WIDTH))
        height = int(self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
        try:
            _check_size(width, height, max_pixels)
        except ResourceLimitError:
            self._capture.release()
            raise

    def _ends_early(self) -> bool:
        """By its frames, where their number is known; by time, where it is not, or only about."""
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
        self._capture.release()

    def _is_past_the_end(self, failed: int) -> bool:
        return failed > 0 and self.track.frames is not None and self._index >= self.track.frames

    def _next_image(self, *, wanted: bool) -> Image | None:
        """The image; an empty one for a frame that was only grabbed; None where the frame failed."""
        if not self._capture.grab():
            return None
        if not wanted:
            return np.empty(0, np.uint8)
        decoded, image = self._capture.retrieve()
        return image.astype(np.uint8, copy=False) if decoded else None


def _check_size(width: int, height: int, max_pixels: int | None) -> None:
    if max_pixels is not None and width * height > max_pixels:
        raise ResourceLimitError(
            f"The frames have {width}x{height} pixels, more than the {max_pixels} that are taken; "
            "submit the video at a smaller resolution"
        )
