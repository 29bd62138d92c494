"""Clips of a known truth for the benchmark, made from real footage or from nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import cv2
import numpy as np

from gpu_worker_image.models.street_demo_training.clips import write_mp4
from gpu_worker_image.models.street_demo_training.drawing import Image
from tests.fixtures.draw_text_video import FRAMES_A_TEXT, draw_words, words_of_frame
from tests.support.model import SHARED

MEDIA = SHARED / "media"
CARS = MEDIA / "car-detection.mp4"
FULL_HD = (1920, 1080)
FPS = 25


@dataclass(frozen=True, slots=True)
class BenchClip:
    """A file, its frames, and the words on each of them."""

    name: str
    path: Path
    truth: Sequence[Sequence[str]]


def make_clips(folder: Path, frames: int) -> list[BenchClip]:
    """(a) real footage without text, (b) the same at 1080p with text that changes, (c) a static camera."""
    truth = [words_of_frame(index) for index in range(frames)]
    write_mp4(folder / "b.mp4", _with_words(footage(CARS, FULL_HD, frames), truth), FPS, FULL_HD)
    return [
        BenchClip("a: cars 768x432", CARS, ((),) * frames),
        BenchClip("b: cars 1080p, changing text", folder / "b.mp4", truth),
        still_clip(CARS, folder / "c.mp4", 2 * frames, FULL_HD),
    ]


def still_clip(source: Path, path: Path, frames: int, size: tuple[int, int]) -> BenchClip:
    """One picture of ``source`` with the noise of a sensor; its words change every second."""
    (still,) = footage(source, size, 1)
    random = np.random.default_rng(1)
    noises = cycle([random.normal(0, 2, (*still.shape[:2], 1)) for _ in range(5)])
    truth = [words_of_frame(FRAMES_A_TEXT * (index // FPS)) for index in range(frames)]
    images = (
        np.clip(image + noise, 0, 255).astype(np.uint8)
        for image, noise in zip(_with_words((still.copy() for _ in truth), truth), noises, strict=False)
    )
    write_mp4(path, images, FPS, size)
    return BenchClip(f"c: static {size[1]}p, text each second", path, truth)


def _with_words(images: Iterator[Image], truth: Sequence[tuple[str, str]]) -> Iterator[Image]:
    for image, words in zip(images, truth, strict=True):
        draw_words(image, words)
        yield image


def footage(path: Path, size: tuple[int, int], frames: int) -> Iterator[Image]:
    """Frames of a video, scaled; it starts again at its end."""
    endless = (image for _ in cycle([0]) for image in frames_of(path))
    for image in islice(endless, frames):
        yield cv2.resize(image, size, interpolation=cv2.INTER_CUBIC).astype(np.uint8, copy=False)


def frames_of(path: Path) -> Iterator[Image]:
    """Every frame, read in a plain loop."""
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        while (read := capture.read())[0]:
            yield read[1]  # type: ignore[misc]
    finally:
        capture.release()
