"""What the pipelines need from an open video, wherever it is decoded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray
from video_jobs.domain.byte_ranges import ByteRange
from video_jobs.domain.sampling import EVERY_PICTURE, Sampling
from video_jobs.domain.video import JobWarning, VideoFacts

from video_worker.part_ranges import Excerpt, PartRanges

Image = NDArray[np.uint8]
"""Height x width x 3, BGR, in the size that `VideoFacts` tells."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of a video.

    Attributes
    ----------
    index
        Its place in the order of display, from 0. A picture that cannot be decoded keeps its index.
    time_us
        When it is shown, in microseconds from the first picture on.
    image
        None if it cannot be decoded.
    stored_size
        Width and height in pixels if they differ from those of the first picture; the image is fitted in.
    """

    index: int
    time_us: int
    image: Image | None
    stored_size: tuple[int, int] | None = None

    @property
    def timestamp_ms(self) -> float:
        """The time in milliseconds, with at most three decimals."""
        return self.time_us / 1000


@dataclass(frozen=True, slots=True)
class VideoMap:
    """Which bytes of a video its parts need, and its index for those who read some of them (`index_file`)."""

    ranges: PartRanges
    index: bytes


@dataclass(frozen=True, slots=True)
class Held:
    """What of a file is here, in order, and its index (`index_file`)."""

    ranges: tuple[ByteRange, ...]
    index: bytes


class OpenVideo(Protocol):
    """An open video; leaving its context closes it.

    Its **candidates** are the pictures that the sampling selects with which it was opened, in order.

    Attributes
    ----------
    facts, warnings
        The video, and what the client should know about the file as a whole.
    is_divisible
        Whether decoding can start at any picture.
    candidates
        How many candidates there are; None if only decoding all of the video tells.
    """

    facts: VideoFacts
    warnings: tuple[JobWarning, ...]
    is_divisible: bool
    candidates: int | None

    def frames(self, first: int = 0, end: int | None = None) -> Iterator[Picture]:
        """The candidates in order, from one of them on, and before another one, by their numbers.

        Nothing is decoded for the candidates from ``end`` on, except for pictures that are decoded together
        with those before.

        Raises
        ------
        UnreadableVideoError
            If no picture of the whole video can be decoded.
        NoFrameChosenError
            If there is no candidate, and ``first`` is 0.
        """
        ...

    def map(self, part_frames: int) -> VideoMap | None:
        """What parts of so many candidates need; None if a part of the file cannot be read without the rest.

        To be called before `frames`.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class VideoOpener(Protocol):
    """Opens videos, in this process or in another one."""

    def __call__(
        self,
        path: Path,
        max_pixels: int | None = None,
        sampling: Sampling = EVERY_PICTURE,
        excerpt: Excerpt | None = None,
    ) -> OpenVideo:
        """Open a local file, to read the pictures that ``sampling`` selects.

        If only an excerpt of the file is here, only the pictures can be read for which it was made.

        Raises
        ------
        OutsideRangesError
            On opening or while reading, if bytes are needed that are not here.
        UnreadableVideoError
            If there is nothing to decode; the message says why.
        ResourceLimitError
            If the pictures are too large.
        """
        ...
