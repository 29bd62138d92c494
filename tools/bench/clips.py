"""Clips of a known truth for the benchmark, made from real footage or from nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from gpu_worker_image.models.street_demo_training.clips import write_mp4
from gpu_worker_image.models.street_demo_training.drawing import Image
from tests.fixtures.draw_text_video import FRAMES_A_TEXT, draw_words, words_of_frame

CLIP = Path(__file__).parents[2] / "tests" / "fixtures" / "tiny.mp4"
MEDIA = Path(__file__).parents[2].parent / "shared" / "media"
FULL_HD = (1920, 1080)
FPS = 25


@dataclass(frozen=True, slots=True)
class BenchClip:
    """A file, its frames, and the words on each of them."""

    name: str
    path: Path
    truth: tuple[tuple[str, ...], ...]


def make_clips(folder: Path, frames: int) -> list[BenchClip]:
    """(a) real footage without text, (b) the same at 1080p with text that changes, (c) a static camera."""
    cars = MEDIA / "car-detection.mp4"
    return [
        BenchClip("a: cars 768x432", cars, ((),) * frames),
        _written("b: cars 1080p, changing text", folder / "b.mp4", FULL_HD, _with_text(cars, frames)),
        still_clip(cars, folder / "c.mp4", 2 * frames, FULL_HD),
    ]


def still_clip(source: Path, path: Path, frames: int, size: tuple[int, int]) -> BenchClip:
    """One picture of ``source`` with the noise of a sensor; its words change every second."""
    name = f"c: static {size[1]}p, text each second"
    return _written(name, path, size, _static(source, frames, size))


def footage(path: Path, size: tuple[int, int], frames: int) -> Iterator[Image]:
    """Frames of a video, scaled; it starts again at its end."""
    given = 0
    while given < frames:
        capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
        while given < frames:
            decoded, image = capture.read()
            if not decoded:
                break
            yield cv2.resize(image, size, interpolation=cv2.INTER_CUBIC).astype(np.uint8, copy=False)
            given += 1
        capture.release()


def _with_text(source: Path, frames: int) -> Iterator[tuple[Image, tuple[str, ...]]]:
    for index, image in enumerate(footage(source, FULL_HD, frames)):
        words = words_of_frame(index)
        draw_words(image, words)
        yield image, words


def _static(source: Path, frames: int, size: tuple[int, int]) -> Iterator[tuple[Image, tuple[str, ...]]]:
    (still,) = footage(source, size, 1)
    random = np.random.default_rng(1)
    noises = [random.normal(0, 2, (*still.shape[:2], 1)) for _ in range(5)]
    for index in range(frames):
        image = still.copy()
        words = words_of_frame(FRAMES_A_TEXT * (index // FPS))
        draw_words(image, words)
        yield np.clip(image + noises[index % len(noises)], 0, 255).astype(np.uint8), words


def _written(
    name: str, path: Path, size: tuple[int, int], frames: Iterator[tuple[Image, tuple[str, ...]]]
) -> BenchClip:
    truth = []

    def images() -> Iterator[Image]:
        for image, words in frames:
            truth.append(words)
            yield image

    write_mp4(path, images(), FPS, size)
    return BenchClip(name, path, tuple(truth))
