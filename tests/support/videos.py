"""Videos that go wrong, made by the real ffmpeg."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from video_jobs.domain.sampling import Sampling
from video_worker.video.open_video import Image
from video_worker.video.video_reader import VideoReader

from gpu_worker_image.models.street_demo_training.clips import write_mp4
from tests.fixtures.ffmpeg import run_ffmpeg
from tests.fixtures.make_tiny_mp4 import PATH as TINY

NOISE = ("-f", "lavfi", "-i", "testsrc2=size=160x120:rate=10:duration=2")
_X264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p")


def images_of(path: Path, stride: int = 1) -> list[Image]:
    """The pictures of a video that can be decoded."""
    with VideoReader(path, sampling=Sampling(stride=stride)) as video:
        return [picture.image for picture in video.frames() if picture.image is not None]


def _made(path: Path, *arguments: str) -> Path:
    run_ffmpeg(*arguments, str(path))
    return path


def truncated_without_moov(folder: Path) -> Path:
    """The first half of a file whose index stands at its end."""
    path = folder / "no_moov.mp4"
    content = _made(folder / "whole.mp4", *NOISE, *_X264).read_bytes()
    path.write_bytes(content[: content.rindex(b"moov") - 100])
    return path


def truncated_faststart(folder: Path) -> Path:
    """The first 60 % of a file whose index stands at its start."""
    path = folder / "cut.mp4"
    content = _made(folder / "whole.mp4", *NOISE, *_X264, "-movflags", "+faststart").read_bytes()
    path.write_bytes(content[: len(content) * 6 // 10])
    return path


def audio_only(folder: Path) -> Path:
    return _made(folder / "audio.mp4", "-f", "lavfi", "-i", "sine=duration=1", "-c:a", "aac")


def zero_frames(folder: Path) -> Path:
    return _made(folder / "zero.mp4", *NOISE, "-frames:v", "0", *_X264)


def audio_only_m4a(folder: Path) -> Path:
    return _made(folder / "audio.m4a", "-f", "lavfi", "-i", "sine=duration=1", "-c:a", "aac")


def webm_renamed(folder: Path) -> Path:
    return _made(folder / "clip.webm", *NOISE, "-c:v", "libvpx").rename(folder / "webm.mp4")


def header_then_garbage(folder: Path) -> Path:
    path = folder / "garbage.mp4"
    garbage = np.random.default_rng(1).integers(0, 256, 20_000, np.uint8).tobytes()
    path.write_bytes(TINY.read_bytes()[:32] + garbage)
    return path


def fragmented(folder: Path) -> Path:
    return _made(
        folder / "fragmented.mp4", "-i", str(TINY), "-c", "copy", "-movflags", "frag_keyframe+empty_moov"
    )


def trimmed(folder: Path) -> Path:
    """Cut without encoding: the index counts frames that an edit list leaves out."""
    return _made(folder / "trimmed.mp4", "-ss", "1.5", "-i", str(TINY), "-c", "copy")


def rotated(folder: Path, degrees: int) -> Path:
    """Displayed turned counterclockwise from how it is stored."""
    return _made(folder / "rotated.mp4", "-display_rotation", str(degrees), "-i", str(TINY), "-c", "copy")


def variable_frame_rate(folder: Path) -> Path:
    """Numbered frames, each shown for one or two tenths of a second."""
    uneven = ("-vf", "setpts='(N+floor(N/2))/10/TB'", "-fps_mode", "passthrough")
    return _made(folder / "uneven.mp4", "-i", str(numbered(folder)), *uneven, "-c:v", "libx264")


def ambiguous_times(folder: Path) -> Path:
    """Numbered frames, some of which have the time of another one."""
    repeated = ("-vf", "setpts='(N+floor(N/2)+mod(N,3))/10/TB'", "-fps_mode", "passthrough")
    return _made(folder / "ambiguous.mp4", "-i", str(numbered(folder)), *repeated, "-c:v", "libx264")


def damaged_in_the_middle(folder: Path) -> Path:
    """Whole by its boxes, with noise over a tenth of its pictures."""
    path = folder / "damaged.mp4"
    content = bytearray(TINY.read_bytes())
    start, end = len(content) // 2, len(content) // 2 + len(content) // 10
    content[start:end] = np.random.default_rng(2).integers(0, 256, end - start, np.uint8).tobytes()
    path.write_bytes(bytes(content))
    return path


def numbered(folder: Path, frames: int = 30, size: tuple[int, int] = (64, 64)) -> Path:
    """Each frame shows its own number as brightness."""
    path = folder / "numbered.mp4"
    pictures = (np.full((size[1], size[0], 3), 8 * index, np.uint8) for index in range(frames))
    write_mp4(path, pictures, 10, size)
    return path
