"""docs/codecs.md lists what the pinned FFmpeg really decodes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from video_worker.video.open_video import Picture
from video_worker.video.video_reader import VideoReader

from tests.fixtures.ffmpeg import run_ffmpeg
from tools.reference.codecs import NAMES, decodable_codecs

FRAMES = 10
ENCODERS: dict[str, tuple[str, ...]] = {
    "h264": ("libx264", "mp4"),
    "hevc": ("libx265", "mp4", "-x265-params", "log-level=none"),
    "av1": ("libaom-av1", "mp4", "-cpu-used", "8", "-usage", "realtime"),
    "vp9": ("libvpx-vp9", "mp4", "-deadline", "realtime", "-cpu-used", "8"),
    "mpeg4": ("mpeg4", "mp4"),
    "mpeg2video": ("mpeg2video", "mp4"),
    "mpeg1video": ("mpeg1video", "mp4"),
    "h263": ("h263", "3gp"),
    "prores": ("prores_ks", "mov"),
    "dnxhd": ("dnxhd", "mov", "-profile:v", "dnxhr_lb", "-pix_fmt", "yuv422p"),
    "cfhd": ("cfhd", "mov"),
    "mjpeg": ("mjpeg", "mp4", "-pix_fmt", "yuvj420p"),
    "jpeg2000": ("jpeg2000", "mov"),
    "png": ("png", "mov"),
    "dvvideo": ("dvvideo", "mov", "-s", "720x576", "-pix_fmt", "yuv420p"),
    "ffv1": ("ffv1", "mp4"),
    "rawvideo": ("rawvideo", "mov"),
    "v210": ("v210", "mov"),
    "qtrle": ("qtrle", "mov"),
    "cinepak": ("cinepak", "mov"),
    "svq1": ("svq1", "mov"),
    "hap": ("hap", "mov"),
}


def test_each_codec_of_the_list_has_a_decoder() -> None:
    assert NAMES.keys() <= decodable_codecs()


@pytest.mark.parametrize("codec", ENCODERS)
def test_a_codec_is_read_from_any_picture_on(tmp_path: Path, codec: str) -> None:
    # GIVEN a video of this codec
    encoder, container, *options = ENCODERS[codec]
    path = tmp_path / f"clip.{container}"
    source = ("-f", "lavfi", "-i", "testsrc2=size=352x288:rate=25", "-frames:v", str(FRAMES))
    run_ffmpeg(*source, "-strict", "-2", "-c:v", encoder, *options, str(path))
    # WHEN it is read from its start, and from two other pictures on
    with VideoReader(path) as video:
        assert video.facts.codec == codec
        whole = list(video.frames())
        assert len(whole) == FRAMES
        # THEN all of it is there, and the pictures are the same
        for first in (3, 8):
            again = zip(video.frames(first=first), whole[first:], strict=True)
            assert all(are_same(*pair) for pair in again)


def are_same(one: Picture, other: Picture) -> bool:
    assert one.image is not None
    assert other.image is not None
    return (one.index, one.time_us) == (other.index, other.time_us) and np.array_equal(one.image, other.image)
