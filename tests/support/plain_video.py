"""The simplest video reader that works on a descriptor, for tests of what lies around one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from video_jobs.domain.errors import ResourceLimitError, UnreadableVideoError
from video_jobs.domain.video import JobWarning, VideoFacts
from video_worker.video.open_video import Picture


class PlainVideo:
    """An `OpenVideo` of ordinary files. It decodes from the start, and converts with FFmpeg's defaults."""

    warnings: tuple[JobWarning, ...] = ()
    is_divisible = True

    def __init__(self, descriptor: int, max_pixels: int | None = None) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        try:
            self._container = av.open("fd:", options={"fd": str(descriptor)})
        except av.FFmpegError as exc:
            raise UnreadableVideoError("Unable to read video file: it is no video") from exc
        finally:
            os.close(descriptor)  # FFmpeg has its own
        self._stream = self._container.streams.video[0]
        self._stream.thread_type = "AUTO"
        self._reformatter = VideoReformatter()
        width, height = self._stream.width, self._stream.height
        if max_pixels is not None and width * height > max_pixels:
            raise ResourceLimitError(f"The frames have {width}x{height} pixels")
        self.facts = facts(width, height, self._stream.codec_context.name)

    @classmethod
    def of_path(cls, path: Path, max_pixels: int | None = None) -> Self:
        """A `VideoOpener`."""
        return cls(os.open(path, os.O_RDONLY), max_pixels)

    def frames(self, stride: int = 1, first: int = 0) -> Iterator[Picture]:
        self._container.seek(0)
        for index, frame in enumerate(self._container.decode(self._stream)):
            if index % stride == 0 and index >= first:
                image = self._reformatter.reformat(frame, format="bgr24").to_ndarray()
                yield Picture(index, round((frame.time or 0) * 1e6), image.astype(np.uint8, copy=False))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()


def facts(width: int, height: int, codec: str = "h264") -> VideoFacts:
    return VideoFacts(
        container="mp4",
        codec=codec,
        width=width,
        height=height,
        frame_count=None,
        duration_ms=None,
        average_frame_rate=None,
        first_picture_ms=0.0,
        rotation=0,
        mirrored=False,
        interlaced=False,
        variable_frame_rate=False,
        hdr=None,
    )
