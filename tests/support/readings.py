"""Reading whole videos, and parts of them to compare with the whole."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from video_jobs.domain.sampling import Sampling
from video_jobs.domain.video import JobWarning, VideoFacts
from video_worker.video.open_video import Picture
from video_worker.video.video_reader import VideoReader

from tests.support.sampled import selected


@dataclass(frozen=True, slots=True)
class PicturePrint:
    """A picture with a hash in place of its pixels."""

    index: int
    time_us: int
    pixels: str | None
    stored_size: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Reading:
    """All that a reader told of a video."""

    facts: VideoFacts
    warnings: tuple[JobWarning, ...]
    pictures: list[Picture]

    def prints(self) -> list[PicturePrint]:
        return list(prints_of(self.pictures))


def read_video_file(path: Path, max_pixels: int | None = None) -> Reading:
    with VideoReader(path, max_pixels) as reader:
        pictures = list(reader.frames())
        return Reading(reader.facts, reader.warnings, pictures)


def read_from(path: Path, sampling: Sampling, first: int, most: int) -> list[PicturePrint]:
    """At most so many candidates, by a reader that has read nothing before."""
    with VideoReader(path, sampling=sampling) as reader:
        return list(islice(prints_of(reader.frames(first)), most))


Choose = Callable[[np.random.Generator, list[int]], Sampling]
"""Makes a sampling that selects something, for a video with these times."""


def any_sampling(random: np.random.Generator, times_us: list[int]) -> Sampling:
    """A stride; or a time from one picture to another one, perhaps with a rate."""
    if random.random() < 1 / 2:
        return Sampling(stride=int(random.choice((1, 1, 2, 3, 5))))
    begin, end = sorted(map(int, random.integers(len(times_us), size=2)))
    start_ms, end_ms = times_us[begin] / 1000, (times_us[end] + 1) / 1000
    rate = (None, 5.0, 12.5, 29.97)[int(random.integers(4))]
    return Sampling(start_ms=start_ms, end_ms=end_ms, frames_per_second=rate)


def check_starts(path: Path, whole: list[PicturePrint], starts: int, choose: Choose = any_sampling) -> None:
    """Reading some candidates gives what reading the whole video gave, from so many of them at random."""
    random = np.random.default_rng(len(path.name))
    times_us = [entry.time_us for entry in whole]
    for number in map(int, random.permutation(len(whole))[:starts]):
        sampling = choose(random, times_us)
        expected = [whole[index] for index in selected(times_us, sampling)]
        first, most = number % len(expected), int(random.choice((3, 8, len(whole))))
        found = read_from(path, sampling, first, most)
        assert found == expected[first:][:most], (path.name, sampling, first)


def prints_of(pictures: Iterable[Picture]) -> Iterable[PicturePrint]:
    for picture in pictures:
        image = picture.image
        pixels = None if image is None else hashlib.blake2b(image.tobytes(), digest_size=16).hexdigest()
        yield PicturePrint(picture.index, picture.time_us, pixels, picture.stored_size)
