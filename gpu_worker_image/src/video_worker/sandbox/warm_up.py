"""Decode once, so that everything is imported and made that the first video would otherwise wait for."""

from __future__ import annotations

import io
import os
from contextlib import suppress

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from video_jobs.domain.errors import UnreadableVideoError
from video_jobs.domain.sampling import EVERY_PICTURE

from video_worker.sandbox.decoder import Opener
from video_worker.sandbox.picture_memory import anonymous_file

_SIDE_PX = 64
_PICTURES = 3


def warm_up(opener: Opener) -> None:
    """Open a small interlaced clip, which uses filters as well, and a file that is none."""
    _decode(opener, _clip())
    with suppress(UnreadableVideoError):
        _decode(opener, b"\0" * 64)


def _decode(opener: Opener, content: bytes) -> None:
    file = anonymous_file("clip")
    os.write(file, content)
    with opener(file, _SIDE_PX**2, EVERY_PICTURE, None) as video:
        for _ in video.frames():
            pass


def _clip() -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream: VideoStream = container.add_stream("libx264", rate=25)
        stream.width = stream.height = _SIDE_PX
        stream.pix_fmt = "yuv420p"
        stream.options = {"x264-params": "tff=1:threads=1"}
        grey = np.full((_SIDE_PX, _SIDE_PX, 3), 128, np.uint8)
        for _ in range(_PICTURES):
            container.mux(stream.encode(VideoFrame.from_ndarray(grey, format="bgr24")))
        container.mux(stream.encode())
    return file.getvalue()
