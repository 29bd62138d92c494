"""Reading whole videos, and parts of them to compare with the whole."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from video_jobs.domain.sampling import Sampling
from video_jobs.domain.video import JobWarning, VideoFacts
from video_worker.video.open_video import Picture
from video_worker.video.video_reader import VideoReader


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


STRIDES = (1, 1, 2, 3, 5)


def check_starts(
    path: Path, whole: list[PicturePrint], starts: int, strides: tuple[int, ...] = STRIDES
) -> None:
    """Reading from a picture on gives what reading the whole video gave, from so many pictures at random."""
    random = np.random.default_rng(len(path.name))
    for first in map(int, random.permutation(len(whole))[:starts]):
        stride, most = (int(random.choice(choices)) for choices in (strides, (3, 8, len(whole))))
        expected = whole[::stride][first // stride :]
        assert read_from(path, Sampling(stride=stride), first // stride, most) == expected[:most], (
            path.name,
            first,
            stride,
        )


def prints_of(pictures: Iterable[Picture]) -> Iterable[PicturePrint]:
    for picture in pictures:
        image = picture.image
        pixels = None if image is None else hashlib.blake2b(image.tobytes(), digest_size=16).hexdigest()
        yield PicturePrint(picture.index, picture.time_us, pixels, picture.stored_size)
