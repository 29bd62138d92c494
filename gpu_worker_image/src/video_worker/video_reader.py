"""Decode a video frame by frame, with OpenCV's FFmpeg backend."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np
from numpy.typing import NDArray
from video_jobs.domain.errors import UnreadableVideoError

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

    Raises
    ------
    UnreadableVideoError
        On opening, with the reason, where there is nothing to decode.
    """

    def __init__(self, path: Path) -> None:
        self.track: VideoTrack = read_video_track(path)
        self.frames_read = 0
        self._index = 0
        self._capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
        if not self._capture.isOpened():
            raise UnreadableVideoError(
                f"Unable to read video file: its codec {self.track.codec!r} cannot be decoded; "
                "convert it to H.264"
            )
        self._capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)

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
            if image.size:
                yield index, image
        if self.frames_read == 0:
            raise UnreadableVideoError("Unable to read video file: not one frame of it can be decoded")

    def warnings(self) -> tuple[str, ...]:
        """What a caller should know after the last frame: the video ended before its time."""
        found = []
        if self.track.missing_bytes:
            found.append(f"The file is cut off: {self.track.missing_bytes} bytes of it are missing")
        expected = self.track.frames
        if expected is not None and self.frames_read < expected * _SHORTFALL - 1:
            found.append(
                f"The video ends early or is damaged: {self.frames_read} of about {expected} frames decoded"
            )
        return tuple(found)

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
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
