"""Street scenes with exact truth: a scene is data, and rendering it at a time gives picture and boxes.

The same seed gives the same scene, whatever was generated before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain

import cv2
import numpy as np
from numpy.typing import NDArray

from gpu_worker_image.models.street_demo_training import drawing, shapes
from gpu_worker_image.models.street_demo_training.drawing import Brush, Color, Image

VISIBLE_SHARE = 0.4
"""An object is in the truth when at least this share of it is seen."""

MIN_SIDE_PX = 6
VEHICLES = ("car_rear", "car_side", "truck_rear", "truck_side", "bus_rear", "bus_side")
CLUTTER = {"tree": 0.5, "bin": 0.12, "lamp_post": 0.6, "box": 0.12}
"""What is not in the truth, with its height by that of the picture."""

WORDS = (
    *("STATION", "HARBOUR", "MARKET", "AIRPORT", "CENTRE", "MUSEUM", "SCHOOL", "PARKING", "TUNNEL"),
    *("BRIDGE", "FERRY", "HOTEL", "STADIUM", "GARDEN", "NORTH", "SOUTH", "DETOUR", "EXPRESS"),
)
_SIGN_COLORS = [(150, 70, 20), (40, 120, 30), (30, 30, 170)]
# Letters and digits that are hard to mix up.
_LETTERS = "ABCDEFHJKLMNPRTUVWXY"
_DIGITS = "2345679"


@dataclass(frozen=True, slots=True)
class Thing:
    """One object: ``x`` and ``bottom`` (pixels) are where it stands at time 0, ``speed`` pixels a frame."""

    kind: str
    x: float
    bottom: float
    height: float
    color: Color
    text: str = ""
    speed: float = 0.0


@dataclass(frozen=True, slots=True)
class Light:
    """How the camera sees: brightness factor, contrast factor, blur sigma and noise sigma."""

    brightness: float = 1.0
    contrast: float = 1.0
    blur: float = 0.0
    noise: float = 0.0
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Scene:
    """A street: size (width, height), what stands in it, and the light."""

    seed: int
    size: tuple[int, int]
    horizon: float
    things: tuple[Thing, ...]
    light: Light = Light()


@dataclass(frozen=True, slots=True)
class Truth:
    """What is really there: class, box of the visible pixels (x1, y1, x2, y2), text on it."""

    class_name: str
    xyxy: tuple[int, int, int, int]
    text: str = ""


def random_scene(seed: int, size: tuple[int, int] = (640, 384)) -> Scene:
    """A scene for training or validation."""
    rng = np.random.default_rng([20260301, seed])
    horizon = float(rng.uniform(0.25, 0.45) * size[1])
    things = [_clutter(rng, size, horizon) for _ in range(int(rng.integers(2, 8)))]
    things += [_vehicle(rng, size, horizon) for _ in range(int(rng.integers(1, 5)))]
    things += [_person(rng, size, horizon) for _ in range(int(rng.integers(0, 4)))]
    things += [_sign(rng, size, horizon) for _ in range(int(rng.integers(0, 3)))]
    light = Light(
        brightness=float(rng.uniform(0.55, 1.25)),
        contrast=float(rng.uniform(0.75, 1.15)),
        blur=float(rng.choice([0.0, 0.0, rng.uniform(0.3, 1.2)])),
        noise=float(rng.uniform(0, 9)),
        tint=(float(rng.uniform(0.9, 1.1)), 1.0, float(rng.uniform(0.9, 1.1))),
    )
    return Scene(seed, size, horizon, tuple(things), light)


def render(scene: Scene, time: float = 0.0) -> tuple[Image, list[Truth]]:
    """Picture (height x width x 3, BGR) and truth of a scene, ``time`` frames after its start."""
    canvas = _street(np.random.default_rng([scene.seed, 7]), scene)
    owners = np.zeros(canvas.shape[:2], np.int32)
    moved = (replace(thing, x=thing.x + thing.speed * time) for thing in scene.things)
    # Each thing has the odd number of its place as owner, its plate the even one after that.
    drawn = list(enumerate(sorted(moved, key=lambda thing: thing.bottom)))
    areas = [_paint(canvas, owners, 2 * place + 1, thing) for place, thing in drawn]
    found = (_truths(owners, thing, 2 * place + 1, areas[place]) for place, thing in drawn)
    truths = list(chain.from_iterable(found))
    return _seen_by_camera(canvas, scene, time), truths


def _random_color(rng: np.random.Generator) -> Color:
    blue, green, red = (int(value) for value in rng.integers(30, 225, 3))
    return blue, green, red


def _stand(rng: np.random.Generator, size: tuple[int, int], horizon: float) -> tuple[float, float, float]:
    """Where something stands: x, y of its foot, and how near it is (0-1)."""
    near = float(rng.uniform(0.0, 1.0))
    foot = horizon + (0.12 + 0.86 * near) * (size[1] - horizon)
    return float(rng.uniform(0, size[0])), foot, near


def _vehicle(rng: np.random.Generator, size: tuple[int, int], horizon: float) -> Thing:
    kind = str(rng.choice(VEHICLES, p=[0.28, 0.12, 0.18, 0.12, 0.18, 0.12]))
    x, foot, near = _stand(rng, size, horizon)
    tall = 1.0 if kind.startswith("car") else 1.45
    height = size[1] * (0.14 + 0.28 * near) * tall * float(rng.uniform(0.9, 1.15))
    text = ""
    if kind.endswith("rear"):
        text = "".join((*rng.choice(list(_LETTERS), 3), *rng.choice(list(_DIGITS), 3)))
    return Thing(kind, x, foot, height, _random_color(rng), text)


def _person(rng: np.random.Generator, size: tuple[int, int], horizon: float) -> Thing:
    x, foot, near = _stand(rng, size, horizon)
    height = size[1] * (0.14 + 0.26 * near) * float(rng.uniform(0.9, 1.1))
    return Thing("person", x, foot, height, _random_color(rng))


def _sign(rng: np.random.Generator, size: tuple[int, int], horizon: float) -> Thing:
    x, foot, near = _stand(rng, size, horizon)
    color = _SIGN_COLORS[int(rng.integers(0, len(_SIGN_COLORS)))]
    return Thing("sign", x, foot, size[1] * (0.09 + 0.10 * near), color, str(rng.choice(WORDS)))


def _clutter(rng: np.random.Generator, size: tuple[int, int], horizon: float) -> Thing:
    kind = str(rng.choice(list(CLUTTER)))
    x, foot, near = _stand(rng, size, horizon)
    return Thing(kind, x, foot, size[1] * CLUTTER[kind] * (0.5 + 0.7 * near), _random_color(rng))


def _street(rng: np.random.Generator, scene: Scene) -> Image:
    width, height = scene.size
    horizon = round(scene.horizon)
    sky = drawing.gradient((horizon, width), (230, 190, 150), (235, 225, 215))
    gray = int(rng.integers(70, 130))
    road = drawing.textured(rng, (height - horizon, width), (gray, gray, gray), rough=12, grain=5)
    canvas = np.vstack([sky, road])
    for left in range(0, width, 90):
        _house(rng, canvas, left, horizon)
    middle = (horizon + height) // 2
    for x in range(0, width, 80):
        cv2.rectangle(canvas, (x, middle), (x + 40, middle + 4), (215, 220, 220), -1)
    return canvas


def _house(rng: np.random.Generator, canvas: Image, left: int, horizon: int) -> None:
    width = canvas.shape[1]
    top = int(horizon * rng.uniform(0.1, 0.7))
    color = _random_color(rng)
    patch = canvas[top:horizon, left : left + 90]
    patch[:] = drawing.bricks(rng, (horizon - top, 90), color)[:, : patch.shape[1]]
    for y in range(top + 8, horizon - 12, 18):
        for x in range(left + 8, min(left + 80, width), 20):
            cv2.rectangle(canvas, (x, y), (x + 9, y + 10), (90, 75, 60), -1)


def _paint(canvas: Image, owners: NDArray[np.int32], owner: int, thing: Thing) -> int:
    """Paint a thing; answers how many pixels its box has."""
    if thing.kind == "sign":
        return _paint_sign(canvas, owners, owner, thing)
    shape = shapes.SHAPES[thing.kind]
    width = thing.height * shape.aspect
    box = (thing.x - width / 2, thing.bottom - thing.height, width, thing.height)
    brush = Brush(canvas, owners, owner, box)
    if thing.kind in VEHICLES:
        brush.ellipse((0.5, 0.98), (0.52, 0.05), (45, 45, 45))
        owners[owners == owner] = 0  # a shadow is not the vehicle
    shape.paint(brush, thing.color)
    if thing.text and shape.plate_box:
        shapes.plate(brush.part(owner + 1, *shape.plate_box), thing.text)
    return round(width * thing.height)


def _paint_sign(canvas: Image, owners: NDArray[np.int32], owner: int, thing: Thing) -> int:
    width = thing.height * (0.75 + 0.42 * len(thing.text))
    top = thing.bottom - 3.2 * thing.height
    pole = Brush(canvas, owners, 0, (thing.x - 2, top, 4, 3.2 * thing.height))
    pole.rectangle(0, 0, 1, 1, (110, 115, 115))
    panel = Brush(canvas, owners, owner, (thing.x - width / 2, top, width, thing.height))
    shapes.sign(panel, thing.text, thing.color)
    return round(width * thing.height)


def _truths(owners: NDArray[np.int32], thing: Thing, owner: int, area: int) -> list[Truth]:
    if thing.kind in CLUTTER:
        return []
    name = thing.kind.partition("_")[0]
    text = thing.text if name == "sign" else ""
    found = [_truth(name, text, (owners == owner) | (owners == owner + 1), VISIBLE_SHARE * area * 0.8)]
    shape = shapes.SHAPES.get(thing.kind)
    if thing.text and shape and shape.plate_box:
        plate_area = shape.plate_box[2] * shape.plate_box[3] * area
        found.append(_truth("plate", thing.text, owners == owner + 1, 0.8 * plate_area))
    return [truth for truth in found if truth is not None]


def _truth(name: str, text: str, seen: NDArray[np.bool_], least_px: float) -> Truth | None:
    """The truth about the pixels that are seen of a thing, where these are enough."""
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    if not len(rows) or seen.sum() < least_px:
        return None
    x1, y1, x2, y2 = int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
    return Truth(name, (x1, y1, x2, y2), text) if min(x2 - x1, y2 - y1) >= MIN_SIDE_PX else None


def _seen_by_camera(canvas: Image, scene: Scene, time: float) -> Image:
    light = scene.light
    picture = canvas.astype(np.float32)
    if light.blur > 0:
        picture = cv2.GaussianBlur(picture, (0, 0), light.blur).astype(np.float32)
    picture = (picture - 128) * light.contrast + 128
    picture *= light.brightness * np.array(light.tint, np.float32)
    if light.noise > 0:
        rng = np.random.default_rng([scene.seed, 11, round(time * 10)])
        picture += rng.normal(0, light.noise, picture.shape[:2]).astype(np.float32)[..., None]
    return np.clip(picture, 0, 255).astype(np.uint8)
