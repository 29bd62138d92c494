"""Moving street scenes with a known truth, and MP4 files of them: the same frames give the same bytes."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np

from gpu_worker_image.models.street_demo_training.drawing import Color, Image
from gpu_worker_image.models.street_demo_training.scenes import Light, Scene, Thing, Truth, render

FPS = 10
_H264 = ("-c:v", "libx264", "-preset", "medium", "-crf", "23", "-threads", "1", "-pix_fmt", "yuv420p")
_REPRODUCIBLE = ("-fflags", "+bitexact", "-flags:v", "+bitexact", "-map_metadata", "-1")


@dataclass(frozen=True, slots=True)
class Clip:
    """A scene that moves for ``frames`` frames; the sign changes to the next of ``words`` at equal turns."""

    scene: Scene
    frames: int
    words: tuple[str, ...]

    def render(self, frame_index: int) -> tuple[Image, list[Truth]]:
        """One frame and what is on it."""
        word = self.words[frame_index * len(self.words) // self.frames]
        things = tuple(
            replace(thing, text=word) if thing.kind == "sign" else thing for thing in self.scene.things
        )
        return render(replace(self.scene, things=things), frame_index)

    def texts_of(self, frame_index: int) -> list[str]:
        """What is written on a frame: the sign's word and the plates."""
        return [truth.text for truth in self.render(frame_index)[1] if truth.text]

    def __iter__(self) -> Iterator[tuple[Image, list[Truth]]]:
        return (self.render(frame_index) for frame_index in range(self.frames))


def street_clip(size: tuple[int, int] = (960, 540), frames: int = 40) -> Clip:
    """A car and a bus that show their plates, a truck that passes, two people, and a sign."""
    width, height = size
    pace = 40 / frames

    def thing(kind: str, x: float, bottom: float, tall: float, color: Color, **more: Any) -> Thing:
        return Thing(kind, x * width, bottom * height, tall * height, color, **more)

    things = (
        thing("tree", 0.06, 0.55, 0.40, (60, 120, 70)),
        thing("lamp_post", 0.93, 0.62, 0.50, (120, 110, 110)),
        thing("sign", 0.5, 0.52, 0.15, (150, 70, 20)),
        thing("truck_side", -0.25, 0.66, 0.24, (70, 150, 190), speed=0.034 * width * pace),
        thing("person", 0.92, 0.80, 0.30, (60, 130, 70), speed=-0.006 * width * pace),
        thing("person", 0.05, 0.90, 0.34, (150, 60, 120), speed=0.004 * width * pace),
        thing("car_rear", 0.27, 0.97, 0.40, (50, 50, 190), text="KXR742", speed=0.0015 * width * pace),
        thing("bus_rear", 0.70, 0.93, 0.52, (60, 170, 210), text="BTU395", speed=-0.001 * width * pace),
    )
    words = ("HARBOUR", "STATION", "MARKET", "AIRPORT")
    return Clip(Scene(4711, size, 0.36 * height, things, Light(noise=2.0)), frames, words)


def write_clip(clip: Clip, path: Path) -> Path:
    """Encode a generated clip."""
    write_mp4(path, (picture for picture, _ in clip), FPS, clip.scene.size)
    return path


def write_mp4(path: Path, frames: Iterable[Image], fps: int, size: tuple[int, int]) -> None:
    """Encode BGR frames of ``size`` (width, height) as H.264, a frame at a time."""
    width, height = size
    source = ("-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{width}x{height}", "-r", str(fps), "-i", "-")
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-y", *source, *_H264, *_REPRODUCIBLE]
    with subprocess.Popen([*command, str(path)], stdin=subprocess.PIPE) as encoder:
        if encoder.stdin is None:
            raise RuntimeError("ffmpeg takes no input")
        for frame in frames:
            encoder.stdin.write(np.ascontiguousarray(frame).tobytes())
        encoder.stdin.close()
        if encoder.wait() != 0:
            raise RuntimeError(f"ffmpeg failed on {path}")
