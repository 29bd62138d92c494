"""A few frames of real footage with signs in them, a camera that shakes, and perhaps a pillar that passes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray
from video_worker.plugins.ocr.reading import Box

from gpu_worker_image.models.street_demo_training.drawing import Color, Image
from tests.proofs.bench.clips import CARS, frames_of
from tests.proofs.bench.scenes.panels import PlacedWord
from tests.proofs.bench.scenes.signs import Matrix, Sign, paint_sign, warped
from tests.proofs.bench.scenes.truth import FrameTruth, Stratum, Word, stratum_of

_OVERSCAN = 1.03
_UNREADABLE: dict[Path, tuple[Box, ...]] = {CARS: ([0.94, 0.84, 1.0, 1.0],)}
"""Shares of width and height: half a letter painted on the ground, at the edge of the picture."""
_MOST_HIDDEN, _HIDDEN_OF_A_LETTER = 0.15, 0.35
Size = tuple[int, int]
Offset = tuple[float, float]


class View(Protocol):
    """What the camera sees before there are signs: pictures, and how they fill the frame."""

    @property
    def size(self) -> Size:
        """Width and height of the frame."""
        ...

    def images(self) -> Iterator[Image]:
        """The pictures, before they are scaled."""
        ...

    def scaled(self, image: Image, offset: Offset) -> Image:
        """A picture as the frame shows it, moved by an offset that is as small as a camera's shake."""
        ...

    def unreadable(self) -> tuple[Box, ...]:
        """Places where something stands that no person could spell out, on the frame."""
        ...


@dataclass(frozen=True, slots=True)
class Backdrop:
    """``frames`` pictures of a video from ``first`` on, each ``step``-th, scaled to ``size``."""

    path: Path
    size: Size
    first: int
    frames: int
    step: int = 1

    def images(self) -> Iterator[Image]:
        """As they are in the file."""
        return islice(frames_of(self.path), self.first, self.first + self.frames * self.step, self.step)

    def scaled(self, image: Image, offset: Offset) -> Image:
        """A little larger than the frame, so that the camera can shake."""
        height, width = image.shape[:2]
        at_x, at_y = (_OVERSCAN * full / part for full, part in zip(self.size, (width, height), strict=True))
        left, top = ((1 - _OVERSCAN) / 2 * full + by for full, by in zip(self.size, offset, strict=True))
        matrix = np.array([(at_x, 0, left), (0, at_y, top)])
        return np.asarray(cv2.warpAffine(image, matrix, self.size, flags=cv2.INTER_CUBIC), np.uint8)

    def unreadable(self) -> tuple[Box, ...]:
        width, height = self.size
        return tuple(
            [x1 * width, y1 * height, x2 * width, y2 * height]
            for x1, y1, x2, y2 in _UNREADABLE.get(self.path, ())
        )


@dataclass(frozen=True, slots=True)
class Pillar:
    """A round pillar as high as the frame that passes in front: its left edge starts at ``start``."""

    start: float
    speed: float
    width: float
    color: Color

    def _left(self, frame: int) -> float:
        return self.start + self.speed * frame

    def covers(self, points: NDArray[np.float64], frame: int) -> NDArray[np.bool_]:
        left = self._left(frame)
        return np.asarray((points[:, 0] >= left) & (points[:, 0] <= left + self.width))

    def paint(self, image: Image, frame: int, random: np.random.Generator) -> None:
        left = round(self._left(frame))
        x1, x2 = max(0, left), min(image.shape[1], left + round(self.width))
        if x1 >= x2:
            return
        across = (np.arange(x1, x2) - left) / self.width
        shading = 0.45 + 0.55 * np.sin(np.pi * np.clip(across, 0, 1))
        grain = random.normal(0, 3, (image.shape[0], x2 - x1, 1))
        shaded = shading[None, :, None] * np.array(self.color) + grain
        image[:, x1:x2] = np.clip(shaded, 0, 255).astype(np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """Frames of one view.

    Parameters
    ----------
    shake
        How far the camera shakes, in pixels.
    """

    backdrop: View
    signs: tuple[Sign, ...]
    home: Stratum
    seed: int
    shake: float = 0.0
    pillar: Pillar | None = None

    def render(self) -> Iterator[tuple[Image, FrameTruth]]:
        """Each frame and what is written on it."""
        for number, image in enumerate(self.backdrop.images()):
            yield self._frame(number, image)

    def _frame(self, number: int, image: Image) -> tuple[Image, FrameTruth]:
        random = np.random.default_rng((self.seed, number))
        offset = shaken(self.shake, self.seed, number)
        frame = self.backdrop.scaled(image, offset)
        words: list[Word] = []
        for sign in self.signs:
            homography = sign.homography(number, offset, focal(self.backdrop.size))
            contrasts = paint_sign(frame, sign, homography, random)
            words += self._words(sign, homography, contrasts, number)
        if self.pillar is not None:
            self.pillar.paint(frame, number, random)
        return frame, FrameTruth(tuple(words), self.home, self.backdrop.unreadable())

    def _words(
        self, sign: Sign, homography: Matrix, contrasts: Sequence[float], number: int
    ) -> Iterator[Word]:
        for placed, contrast in zip(sign.panel.words, contrasts, strict=True):
            quad = warped(placed.quad, homography)
            height = float(min(np.linalg.norm(quad[0] - quad[3]), np.linalg.norm(quad[1] - quad[2])))
            stratum = sign.stratum or stratum_of(height, contrast, sign.sigma)
            if self._hidden(placed, homography, number) > _may_be_hidden(placed.text):
                stratum = None
            yield Word(placed.text, quad, height, contrast, sign.sigma, stratum)

    def _hidden(self, word: PlacedWord, homography: Matrix, number: int) -> float:
        """The share of a word's ink that is behind the pillar or outside of the frame."""
        points = warped(word.points, homography)
        hidden = (points < 0).any(axis=1) | (points >= self.backdrop.size).any(axis=1)
        if self.pillar is not None:
            hidden |= self.pillar.covers(points, number)
        return float(hidden.mean())


def _may_be_hidden(text: str) -> float:
    """So little that each letter can still be told: a third of one, and no more than 15 %."""
    return min(_MOST_HIDDEN, _HIDDEN_OF_A_LETTER / len(text))


def shaken(amplitude: float, seed: int, frame: int) -> Offset:
    """Two waves and a little chance."""
    if not amplitude:
        return 0.0, 0.0
    x, y = np.random.default_rng((seed, frame, 1)).normal(0, 0.25, 2)
    return amplitude * (np.sin(1.9 * frame + seed) + x), amplitude * (np.cos(1.3 * frame + seed) + y)


def focal(size: Size) -> float:
    """Of a camera with an angle of view of about 45 degrees."""
    return 1.2 * size[0]
