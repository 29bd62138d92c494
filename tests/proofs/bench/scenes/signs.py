"""A sign in the world: where it hangs, its colours and its light, painted on a frame."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from video_worker.plugins.ocr.reading import Area

from gpu_worker_image.models.street_demo_training.drawing import Color, Image
from tests.proofs.bench.scenes.panels import Panel, PlacedWord
from tests.proofs.bench.scenes.truth import Quad, Stratum

Floats = NDArray[np.float32]
Matrix = NDArray[np.float64]

_NOISE = 1.5
_GREY = np.array((0.114, 0.587, 0.299), np.float32)
_ALMOST_LEAST = 5


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the middle of a panel is seen, in pixels, and how the panel is turned, in radians."""

    centre: tuple[float, float]
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0

    def homography(self, size: tuple[int, int], focal: float) -> Matrix:
        """From a flat panel of ``size`` to the frame of a camera; at its middle the scale stays 1."""
        angles = np.array((self.pitch, self.yaw, self.roll))
        rotation = np.linalg.multi_dot([cv2.Rodrigues(np.diag(angles)[axis])[0] for axis in (2, 1, 0)])
        plane = np.column_stack((rotation[:, 0], rotation[:, 1], (0, 0, focal)))
        camera = np.array([(focal, 0, self.centre[0]), (0, focal, self.centre[1]), (0, 0, 1.0)])
        return np.asarray(camera @ plane @ shift(-size[0] / 2, -size[1] / 2))


@dataclass(frozen=True, slots=True)
class Paint:
    """Colours; without a ``ground`` the ink lies on the picture itself, where ``edge`` may surround it."""

    ink: Color
    ground: Color | None = None
    edge: Color | None = None
    has_border: bool = False


@dataclass(frozen=True, slots=True)
class Light:
    """A smooth gain from 1 - strength to 1 + strength along ``angle``, curved by ``bend``."""

    strength: float = 0.0
    angle: float = 0.0
    bend: float = 0.0

    def gain(self, size: tuple[int, int]) -> Floats:
        x = np.linspace(-1, 1, size[0], dtype=np.float32)[None, :]
        y = np.linspace(-1, 1, size[1], dtype=np.float32)[:, None]
        fall = np.cos(self.angle) * x + np.sin(self.angle) * y + self.bend * (x**2 + y**2 - 1)
        return np.asarray(1 + self.strength * fall / np.abs(fall).max(), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Sign:
    """A panel in the world, which moves by ``speed`` (x, y) pixels a frame.

    ``stratum`` is that of all its words if it does not depend on how they look (a caption).
    """

    panel: Panel
    paint: Paint
    pose: Pose
    light: Light = Light()
    sigma: float = 0.0
    speed: tuple[float, float] = (0.0, 0.0)
    stratum: Stratum | None = None

    def homography(self, frame: int, shake: tuple[float, float], focal: float) -> Matrix:
        """From the panel to a frame."""
        moved = shift(self.speed[0] * frame + shake[0], self.speed[1] * frame + shake[1])
        return np.asarray(moved @ self.pose.homography(self.panel.size, focal))

    def corners(self) -> Quad:
        """Of the panel."""
        width, height = self.panel.size
        return np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64)


def shift(x: float, y: float) -> Matrix:
    return np.array([(1, 0, x), (0, 1, y), (0, 0, 1)], np.float64)


def warped(points: NDArray[np.float64], homography: Matrix) -> NDArray[np.float64]:
    """Points (n x 2) of a panel on the frame."""
    return np.asarray(cv2.perspectiveTransform(points[None], homography)[0], np.float64)


def paint_sign(image: Image, sign: Sign, homography: Matrix, random: np.random.Generator) -> list[float]:
    """Paint a sign on a frame; gives the contrast of each of its words."""
    x1, y1, x2, y2 = _area(image, warped(sign.corners(), homography), sign.sigma)
    if x1 >= x2 or y1 >= y2:
        return [0.0] * len(sign.panel.words)
    under = image[y1:y2, x1:x2].astype(np.float32)
    colors, cover = _layers(sign)
    to_area = shift(-x1, -y1) @ homography
    colors, cover = (_seen(layer, to_area, (x2 - x1, y2 - y1), sign.sigma) for layer in (colors, cover))
    contrasts = [_contrast(sign, word, to_area, under @ _GREY) for word in sign.panel.words]
    noise = random.normal(0, _NOISE, cover.shape).astype(np.float32) * cover
    lit = under * (1 - cover[..., None]) + colors + noise[..., None]
    image[y1:y2, x1:x2] = np.clip(lit, 0, 255).astype(np.uint8)
    return contrasts


def _area(image: Image, corners: Quad, sigma: float) -> Area:
    room = 3 * sigma + 2
    x1, y1 = np.floor(corners.min(axis=0) - room).clip(0).astype(int)
    x2, y2 = np.ceil(corners.max(axis=0) + room).astype(int)
    return int(x1), int(y1), int(min(x2, image.shape[1])), int(min(y2, image.shape[0]))


def _layers(sign: Sign) -> tuple[Floats, Floats]:
    """The panel's colours, weighted by how much they cover, and that."""
    ink, paint = sign.panel.ink, sign.paint
    cover = ink
    colors = ink[..., None] * np.array(paint.ink, np.float32)
    below = paint.ground or paint.edge
    if below is not None:
        cover = np.ones_like(ink) if paint.ground else _widened(ink)
        colors = colors + np.maximum(cover - ink, 0)[..., None] * np.array(below, np.float32)
    if paint.has_border:
        inset = max(2, sign.panel.size[1] // 25)
        corner = sign.panel.size[0] - 1 - inset, sign.panel.size[1] - 1 - inset
        cv2.rectangle(colors, (inset, inset), corner, paint.ink, max(1, inset // 2), cv2.LINE_AA)
    return colors * sign.light.gain(sign.panel.size)[..., None], cover


def _widened(ink: Floats) -> Floats:
    """The ink with an edge of two pixels around it."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    return np.asarray(cv2.dilate(ink, disc), np.float32)


def _seen(layer: Floats, homography: Matrix, size: tuple[int, int], sigma: float) -> Floats:
    seen = cv2.warpPerspective(layer, homography, size, flags=cv2.INTER_LINEAR)
    return np.asarray(cv2.GaussianBlur(seen, (0, 0), sigma) if sigma else seen, np.float32)


def _contrast(sign: Sign, word: PlacedWord, homography: Matrix, under: Floats) -> float:
    """Grey levels between a word's ink and its ground that 95 % of its place reach."""
    gain = sign.light.gain(sign.panel.size)[_rows_and_columns(word.quad)]
    ink = float(np.array(sign.paint.ink) @ _GREY)
    ground = sign.paint.ground or sign.paint.edge
    if ground is not None:
        levels = abs(ink - float(np.array(ground) @ _GREY)) * gain
    else:
        levels = np.abs(under[_rows_and_columns(warped(word.quad, homography))] - ink * gain.mean())
    return float(np.percentile(levels, _ALMOST_LEAST)) if levels.size else 0.0


def _rows_and_columns(quad: Quad) -> tuple[slice, slice]:
    x1, y1 = np.floor(quad.min(axis=0)).clip(0).astype(int)
    x2, y2 = np.ceil(quad.max(axis=0)).astype(int)
    return slice(y1, y2), slice(x1, x2)
