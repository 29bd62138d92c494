"""What the pipelines need from an open video, wherever it is decoded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray
from video_jobs.domain.sampling import EVERY_PICTURE, Sampling
from video_jobs.domain.video import JobWarning, VideoFacts

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

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class VideoOpener(Protocol):
    """Opens videos, in this process or in another one."""

    def __call__(
        self, path: Path, max_pixels: int | None = None, sampling: Sampling = EVERY_PICTURE
    ) -> OpenVideo:
        """Open a local file, to read the pictures that ``sampling`` selects.

        Raises
        ------
        UnreadableVideoError
            If there is nothing to decode; the message says why.
        ResourceLimitError
            If the pictures are too large.
        """
        ...
