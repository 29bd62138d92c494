"""What ffmpeg itself shows of a video: another reading of the same file, to compare ours with."""

from __future__ import annotations

import re
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import imageio_ffmpeg
import numpy as np

from tests.fixtures.numbered_pictures import Image

_TIME_BASE = re.compile(r"config in time_base: (\d+)/(\d+)")
_PTS = re.compile(r"Parsed_showinfo\S* @ \S+\] n: *\d+ pts: *(-?\d+)")


class ShownPicture(NamedTuple):
    """Microseconds from the first picture on and in the movie, and the picture in BGR."""

    time_us: int
    movie_time_us: int
    image: Image


def shown_by_ffmpeg(
    path: Path, size: tuple[int, int], track: int = 0, picture_filter: str | None = None
) -> list[ShownPicture]:
    """Every picture of a video track, upright, in ``size``.

    ``picture_filter`` comes after ffmpeg's own orientation.
    """
    scale = f"scale={size[0]}:{size[1]}"
    filters = ",".join([*([picture_filter] if picture_filter else []), "showinfo", scale])
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-copyts", "-threads", "1", "-i", str(path)]
    command += ["-map", f"0:v:{track}", "-vf", filters, "-fps_mode", "passthrough"]
    command += ["-pix_fmt", "bgr24", "-f", "rawvideo", "-"]
    done = subprocess.run(command, capture_output=True, check=True)
    images = np.frombuffer(done.stdout, np.uint8).reshape(-1, size[1], size[0], 3)
    times = _times_s(done.stderr.decode("utf-8", "replace"))
    return [
        ShownPicture(_microseconds(time_s - times[0]), _microseconds(time_s), image)
        for time_s, image in zip(times, images, strict=True)
    ]


def _times_s(log: str) -> list[Fraction]:
    told = _TIME_BASE.search(log)
    base = Fraction(int(told[1]), int(told[2])) if told else Fraction(0)
    return [int(stamp) * base for stamp in _PTS.findall(log)]


def _microseconds(seconds: Fraction) -> int:
    """Rounded half to even."""
    return round(seconds * 1_000_000)
