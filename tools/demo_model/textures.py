"""Textures made by code: nothing of them comes from a photograph."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Color = tuple[int, int, int]


def cloud_noise(rng: np.random.Generator, size: tuple[int, int], cells: int) -> NDArray[np.float32]:
    """Smooth noise in -1..1 over (height, width): octaves of blown-up random grids."""
    height, width = size
    total = np.zeros(size, np.float32)
    for octave in range(3):
        grid = max(2, cells * 2**octave)
        small = rng.uniform(-1, 1, (grid, grid)).astype(np.float32)
        total += cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC) / 2**octave
    clipped: NDArray[np.float32] = np.clip(total / 1.75, -1, 1)
    return clipped


def textured(
    rng: np.random.Generator, size: tuple[int, int], color: Color, *, rough: float, grain: float
) -> Image:
    """A surface of ``color``, with clouds of strength ``rough`` and grain (both in grey levels)."""
    clouds = cloud_noise(rng, size, 4) * rough + rng.normal(0, grain, size)
    surface = np.array(color, np.float32) + clouds[..., None].astype(np.float32)
    return np.clip(surface, 0, 255).astype(np.uint8)


def gradient(size: tuple[int, int], top: Color, bottom: Color) -> Image:
    """From one color at the top to another at the bottom."""
    share = np.linspace(0, 1, size[0], dtype=np.float32)[:, None, None]
    colors = np.array(top, np.float32) * (1 - share) + np.array(bottom, np.float32) * share
    return np.broadcast_to(colors, (*size, 3)).astype(np.uint8)


def bricks(rng: np.random.Generator, size: tuple[int, int], color: Color) -> Image:
    """A wall with joints."""
    wall = textured(rng, size, color, rough=10, grain=4)
    course = int(rng.integers(8, 15))
    joint = tuple(int(max(0, channel - 35)) for channel in color)
    for row, y in enumerate(range(0, size[0], course)):
        cv2.line(wall, (0, y), (size[1], y), joint, 1)
        for x in range((row % 2) * course, size[1], course * 2):
            cv2.line(wall, (x, y), (x, y + course), joint, 1)
    return wall
