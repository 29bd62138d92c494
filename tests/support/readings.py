"""Reading whole videos, and parts of them to compare with the whole."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from video_jobs.domain.video import JobWarning, VideoFacts
from video_worker.video.open_video import Picture
from video_worker.video.video_reader import VideoReader


class PicturePrint(NamedTuple):
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


def read_video_file(path: Path) -> Reading:
    with VideoReader(path) as reader:
        pictures = list(reader.frames())
        return Reading(reader.facts, reader.warnings, pictures)


def read_from(path: Path, first: int, stride: int, most: int) -> list[PicturePrint]:
    """At most so many pictures, by a reader that has read nothing before."""
    with VideoReader(path) as reader:
        return list(islice(prints_of(reader.frames(stride, first)), most))


def prints_of(pictures: Iterable[Picture]) -> Iterable[PicturePrint]:
    for picture in pictures:
        image = picture.image
        pixels = None if image is None else hashlib.blake2b(image.tobytes(), digest_size=16).hexdigest()
        yield PicturePrint(picture.index, picture.time_us, pixels, picture.stored_size)
