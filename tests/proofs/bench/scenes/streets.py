"""Signs by chance, from a seed: what they say, how they look, and where there is room for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from video_worker.plugins.ocr.reading import Box

from gpu_worker_image.models.street_demo_training.drawing import Color, Image
from tests.proofs.bench.scenes import vocabulary
from tests.proofs.bench.scenes.faces import FACES
from tests.proofs.bench.scenes.panels import Panel, TextLine, lay_out
from tests.proofs.bench.scenes.shots import Backdrop, Pillar, Shot, Size, focal
from tests.proofs.bench.scenes.signs import Light, Paint, Pose, Sign, warped
from tests.proofs.bench.scenes.truth import Stratum, box_of

_SIGNS, _TRIES = 10, 200
_APART = 12
_WIDEST = 0.45
"""Of the frame's width."""
_LEAST_LINE = 15.5
"""Small print beside large is at least so high before the warp."""
_PILLARS = 0.4
Random = np.random.Generator


@dataclass(frozen=True, slots=True)
class _Look:
    """What makes a sign easy or hard to read."""

    capital: float
    contrast: float
    sigma: float
    strength: float


def _clear(random: Random) -> _Look:
    capital = float(np.exp(random.uniform(np.log(27), np.log(84))))
    return _Look(capital, random.uniform(85, 190), random.uniform(0, 0.95), random.uniform(0, 0.3))


def _small(random: Random) -> _Look:
    return _Look(random.uniform(16, 20.5), random.uniform(85, 180), random.uniform(0, 0.6), 0.1)


def _low_contrast(random: Random) -> _Look:
    return _Look(random.uniform(24, 70), random.uniform(24, 52), random.uniform(0, 0.9), 0.1)


def _blurred(random: Random) -> _Look:
    capital = random.uniform(24, 64)
    sigma = min(6.0, random.uniform(1.3, 0.15 * capital))
    return _Look(capital, random.uniform(85, 190), sigma, 0.15)


_LOOKS: tuple[tuple[Callable[[Random], _Look], float], ...] = (
    (_clear, 0.55),
    (_small, 0.15),
    (_low_contrast, 0.15),
    (_blurred, 0.15),
)


def street_shot(backdrop: Backdrop, seed: int, shake: float) -> Shot:
    """Signs of all kinds, as many as find room; a pillar passes in some shots."""
    random = np.random.default_rng(seed)
    picture = backdrop.scaled(next(backdrop.images()), (0, 0))
    signs: list[Sign] = []
    taken = list(backdrop.unreadable())
    for _ in range(_TRIES):
        sign = _sign(random, picture)
        if sign is not None and _has_room(box := _path(sign, backdrop), taken, backdrop.size):
            signs.append(sign)
            taken.append(box)
        if len(signs) == _SIGNS:
            break
    pillar = _pillar(random, backdrop) if random.random() < _PILLARS else None
    return Shot(backdrop, tuple(signs), Stratum.CLEAR, seed, shake, pillar)


def _sign(random: Random, picture: Image) -> Sign | None:
    """Somewhere in the picture; None if it came out too wide."""
    chances = [chance for _, chance in _LOOKS]
    look = _LOOKS[int(random.choice(len(_LOOKS), p=chances))][0](random)
    kind = vocabulary.KINDS[int(random.integers(len(vocabulary.KINDS)))]
    panel = _panel(random, kind(random), look, is_plate=kind is vocabulary.plate)
    height, width = picture.shape[:2]
    centre = (random.uniform(0, width), random.uniform(0, height))
    paint = _paint(random, look, _level(picture, centre, panel), is_loose=kind is vocabulary.device)
    sign = Sign(panel, paint, _pose(random, centre), _light(random, look), look.sigma, _speed(random))
    return sign if panel.size[0] <= _WIDEST * width else None


def _panel(random: Random, lines: vocabulary.Lines, look: _Look, *, is_plate: bool) -> Panel:
    face = "dejavu mono" if is_plate and random.random() < 0.5 else str(random.choice(FACES))
    set_lines = [
        TextLine(text, face, max(look.capital * share, min(look.capital, _LEAST_LINE)))
        for text, share in lines
    ]
    return lay_out(set_lines, random.uniform(0.6, 1.0), is_centred=random.random() < 0.7)


def _level(picture: Image, centre: tuple[float, float], panel: Panel) -> float:
    """The mean grey level where a panel will be."""
    x, y = (round(value) for value in centre)
    across, down = (max(1, length // 2) for length in panel.size)
    return float(picture[max(0, y - down) : y + down, max(0, x - across) : x + across].mean())


def _paint(random: Random, look: _Look, level: float, *, is_loose: bool) -> Paint:
    if is_loose or random.random() < 0.15:
        ink = level + look.contrast if level < 128 else level - look.contrast
        return Paint(_tinted(random, float(np.clip(ink, 5, 245)), 10))
    light = random.uniform(max(130, look.contrast + 12), 205)
    dark, tint = light - look.contrast, random.choice((6, 40))
    is_light_on_dark = random.random() < 0.5
    ink, ground = (light, dark) if is_light_on_dark else (dark, light)
    has_border = bool(random.random() < 0.3)
    return Paint(_tinted(random, ink, 6), _tinted(random, ground, tint), has_border=has_border)


def _tinted(random: Random, grey: float, strength: float) -> Color:
    """A colour of about that grey level (BGR)."""
    blue, red = random.uniform(-strength, strength, 2)
    green = -(0.114 * blue + 0.299 * red) / 0.587
    channels = (grey + by for by in (blue, green, red))
    b, g, r = (int(np.clip(round(channel), 0, 255)) for channel in channels)
    return b, g, r


def _pose(random: Random, centre: tuple[float, float]) -> Pose:
    yaw, pitch, roll = np.radians((random.normal(0, 24), random.normal(0, 10), random.normal(0, 7)))
    return Pose(centre, *(float(np.clip(angle, -0.75, 0.75)) for angle in (yaw, pitch, roll)))


def _light(random: Random, look: _Look) -> Light:
    return Light(look.strength, random.uniform(0, 2 * np.pi), random.uniform(-0.8, 0.8))


def _speed(random: Random) -> tuple[float, float]:
    """Half of the signs stand still."""
    x, y = random.uniform(-4, 4), random.uniform(-1, 1)
    return (float(x), float(y)) if random.random() < 0.5 else (0.0, 0.0)


def _path(sign: Sign, backdrop: Backdrop) -> Box:
    """All places of a sign in a shot."""
    ends = (0, backdrop.frames - 1)
    at = [sign.homography(frame, (0, 0), focal(backdrop.size)) for frame in ends]
    return box_of(np.concatenate([warped(sign.corners(), homography) for homography in at]))


def _has_room(box: Box, taken: Sequence[Box], size: Size) -> bool:
    x1, y1, x2, y2 = box
    is_inside = min(x1, y1) >= _APART and x2 <= size[0] - _APART and y2 <= size[1] - _APART
    return is_inside and not any(
        x1 < other[2] + _APART
        and other[0] < x2 + _APART
        and y1 < other[3] + _APART
        and other[1] < y2 + _APART
        for other in taken
    )


def _pillar(random: Random, backdrop: Backdrop) -> Pillar:
    """Passes the frame from one side to the other within the shot."""
    width = backdrop.size[0]
    wide = random.uniform(0.04, 0.08) * width
    speed = (width + wide) / backdrop.frames
    return Pillar(
        -wide + speed * random.uniform(0, 1), speed, wide, _tinted(random, random.uniform(40, 150), 20)
    )
