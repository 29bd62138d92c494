"""Starting far into a long video, against decoding up to there."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import av
from video_worker.video.video_reader import VideoReader

from tests.fixtures.ffmpeg import run_ffmpeg
from tests.proofs.report import Row

RATE = 25
KEYFRAMES_APART = 250
SIZE = "640x360"


def seeking(folder: Path, minutes: int, runs: int) -> Row:
    """Milliseconds to the last picture before a keyframe at 90 % of a video, which is the worst to reach.

    To open the video belongs to it: that is when the index of all its pictures is made.
    """
    path = _long_video(folder, minutes)
    pictures = minutes * 60 * RATE
    target = pictures * 9 // 10 // KEYFRAMES_APART * KEYFRAMES_APART - 1
    start_ms = _median_ms(lambda: _first_picture(path, target), runs)
    decode_ms = _median_ms(lambda: _decode_up_to(path, target), runs)
    row = {"minutes": minutes, "pictures": pictures, "start_ms": start_ms, "decode_ms": decode_ms}
    return row | {"share": start_ms / decode_ms}


def _median_ms(measured: Callable[[], None], runs: int) -> float:
    taken = []
    for _ in range(runs):
        started = time.perf_counter()
        measured()
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken)


def _first_picture(path: Path, index: int) -> None:
    with VideoReader(path) as reader:
        picture = next(iter(reader.frames(first=index)))
        if not reader.is_divisible or picture.index != index or picture.image is None:
            raise RuntimeError(f"picture {index} was not reached")


def _decode_up_to(path: Path, index: int) -> None:
    """As a loop over the whole file does, without converting pictures."""
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        decoded = sum(1 for _ in islice(container.decode(video=0), index + 1))
    if decoded <= index:
        raise RuntimeError(f"the video has only {decoded} pictures")


def _long_video(folder: Path, minutes: int) -> Path:
    """Ten seconds with one keyframe, again and again."""
    once, path = folder / "ten_seconds.mp4", folder / f"keyframes_{KEYFRAMES_APART}_apart.mp4"
    source = ("-f", "lavfi", "-i", f"testsrc2=size={SIZE}:rate={RATE}:duration={KEYFRAMES_APART // RATE}")
    one_group = ("-g", str(KEYFRAMES_APART), "-sc_threshold", "0", "-pix_fmt", "yuv420p")
    run_ffmpeg(*source, "-c:v", "libx264", "-preset", "veryfast", *one_group, str(once))
    times = minutes * 60 * RATE // KEYFRAMES_APART
    run_ffmpeg("-stream_loop", str(times - 1), "-i", str(once), "-c", "copy", str(path))
    return path
