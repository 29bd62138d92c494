"""What stands in a street: vehicles with plates, signs, people, and clutter that is none of these."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gpu_worker_image.models.street_demo_training.drawing import Brush, Color

CLASSES = ("car", "truck", "bus", "person", "plate", "sign")
DARK: Color = (28, 26, 25)
GLASS: Color = (96, 84, 70)
RED: Color = (40, 36, 190)
WHITE: Color = (240, 242, 242)


@dataclass(frozen=True, slots=True)
class Shape:
    """How a kind of thing is painted.

    ``aspect`` is its width by its height, ``plate_box`` where its plate sits: left, top, width and height
    in its unit square.
    """

    paint: Callable[[Brush, Color], None]
    aspect: float
    plate_box: tuple[float, float, float, float] | None = None


def shade(color: Color, factor: float) -> Color:
    """A darker (below 1) or lighter color."""
    blue, green, red = (int(min(255, max(0, channel * factor))) for channel in color)
    return blue, green, red


def _car_rear(brush: Brush, color: Color) -> None:
    for left in (0.08, 0.76):
        brush.rectangle(left, 0.80, left + 0.16, 1.0, DARK)
    brush.polygon([(0.18, 0.0), (0.82, 0.0), (0.96, 0.42), (0.04, 0.42)], color)
    brush.polygon([(0.23, 0.06), (0.77, 0.06), (0.87, 0.37), (0.13, 0.37)], GLASS)
    brush.rectangle(0.0, 0.40, 1.0, 0.88, color)
    brush.rectangle(0.0, 0.76, 1.0, 0.88, shade(color, 0.6))
    for left in (0.02, 0.84):
        brush.rectangle(left, 0.45, left + 0.14, 0.57, RED)


def _car_side(brush: Brush, color: Color) -> None:
    brush.polygon([(0.18, 0.42), (0.32, 0.0), (0.68, 0.0), (0.84, 0.42)], color)
    brush.polygon([(0.25, 0.40), (0.35, 0.08), (0.49, 0.08), (0.49, 0.40)], GLASS)
    brush.polygon([(0.52, 0.40), (0.52, 0.08), (0.66, 0.08), (0.77, 0.40)], GLASS)
    brush.polygon([(0.0, 0.46), (0.06, 0.38), (0.94, 0.38), (1.0, 0.5), (1.0, 0.82), (0.0, 0.82)], color)
    brush.rectangle(0.0, 0.74, 1.0, 0.82, shade(color, 0.65))
    for center in (0.22, 0.78):
        brush.ellipse((center, 0.80), (0.085, 0.20), DARK)
        brush.ellipse((center, 0.80), (0.04, 0.095), shade(WHITE, 0.6))


def _truck_rear(brush: Brush, color: Color) -> None:
    for left in (0.06, 0.72):
        brush.rectangle(left, 0.84, left + 0.22, 1.0, DARK)
    brush.rectangle(0.0, 0.0, 1.0, 0.78, color)
    brush.rectangle(0.04, 0.03, 0.485, 0.75, shade(color, 0.88))
    brush.rectangle(0.515, 0.03, 0.96, 0.75, shade(color, 0.88))
    for left in (0.44, 0.54):
        brush.rectangle(left, 0.2, left + 0.02, 0.7, shade(color, 0.5))
    brush.rectangle(0.02, 0.78, 0.98, 0.92, shade(DARK, 1.8))
    for left in (0.03, 0.85):
        brush.rectangle(left, 0.80, left + 0.12, 0.88, RED)


def _truck_side(brush: Brush, color: Color) -> None:
    brush.rectangle(0.0, 0.80, 1.0, 0.88, DARK)
    brush.rectangle(0.0, 0.0, 0.72, 0.80, color)
    brush.rectangle(0.02, 0.05, 0.70, 0.10, shade(color, 0.75))
    cab = shade(color, 0.55)
    brush.polygon([(0.75, 0.22), (0.92, 0.22), (1.0, 0.55), (1.0, 0.84), (0.75, 0.84)], cab)
    brush.polygon([(0.84, 0.28), (0.91, 0.28), (0.97, 0.52), (0.84, 0.52)], GLASS)
    for center in (0.14, 0.30, 0.86):
        brush.ellipse((center, 0.88), (0.065, 0.12), DARK)
        brush.ellipse((center, 0.88), (0.03, 0.055), shade(WHITE, 0.55))


def _bus_rear(brush: Brush, color: Color) -> None:
    for left in (0.07, 0.75):
        brush.rectangle(left, 0.86, left + 0.18, 1.0, DARK)
    brush.polygon([(0.06, 0.0), (0.94, 0.0), (1.0, 0.08), (1.0, 0.93), (0.0, 0.93), (0.0, 0.08)], color)
    brush.rectangle(0.08, 0.16, 0.92, 0.48, GLASS)
    brush.rectangle(0.28, 0.04, 0.72, 0.12, DARK)
    brush.rectangle(0.0, 0.56, 1.0, 0.61, WHITE)
    for left in (0.03, 0.87):
        brush.ellipse((left + 0.05, 0.72), (0.045, 0.035), RED)
        brush.ellipse((left + 0.05, 0.80), (0.045, 0.035), (40, 160, 235))


def _bus_side(brush: Brush, color: Color) -> None:
    brush.polygon([(0.02, 0.0), (0.98, 0.0), (1.0, 0.1), (1.0, 0.9), (0.0, 0.9), (0.0, 0.1)], color)
    for number in range(6):
        left = 0.04 + number * 0.155
        brush.rectangle(left, 0.14, left + 0.13, 0.48, GLASS)
    brush.rectangle(0.0, 0.58, 1.0, 0.64, WHITE)
    for center in (0.17, 0.80):
        brush.ellipse((center, 0.90), (0.05, 0.10), DARK)
        brush.ellipse((center, 0.90), (0.024, 0.05), shade(WHITE, 0.55))


def _person(brush: Brush, color: Color) -> None:
    trousers = shade(color, 0.5)
    brush.polygon([(0.28, 0.52), (0.52, 0.52), (0.46, 1.0), (0.22, 1.0)], trousers)
    brush.polygon([(0.50, 0.52), (0.74, 0.52), (0.80, 1.0), (0.56, 1.0)], trousers)
    brush.polygon([(0.2, 0.18), (0.8, 0.18), (0.78, 0.55), (0.24, 0.55)], color)
    brush.polygon([(0.2, 0.19), (0.08, 0.52), (0.0, 0.50), (0.1, 0.2)], shade(color, 0.85))
    brush.polygon([(0.8, 0.19), (0.92, 0.52), (1.0, 0.50), (0.9, 0.2)], shade(color, 0.85))
    brush.ellipse((0.5, 0.09), (0.2, 0.09), (140, 170, 215))


def _tree(brush: Brush, color: Color) -> None:
    brush.rectangle(0.44, 0.5, 0.56, 1.0, (40, 60, 80))
    for center, radius in (((0.5, 0.3), 0.3), ((0.28, 0.42), 0.24), ((0.72, 0.42), 0.26)):
        brush.ellipse(center, (radius, radius * 0.9), color)


def _bin(brush: Brush, color: Color) -> None:
    brush.polygon([(0.08, 0.15), (0.92, 0.15), (0.82, 1.0), (0.18, 1.0)], color)
    brush.rectangle(0.0, 0.0, 1.0, 0.16, shade(color, 0.7))


def _lamp_post(brush: Brush, color: Color) -> None:
    brush.rectangle(0.42, 0.05, 0.58, 1.0, shade(color, 0.6))
    brush.rectangle(0.1, 0.0, 0.9, 0.06, (200, 235, 245))


def _box(brush: Brush, color: Color) -> None:
    brush.rectangle(0.0, 0.0, 1.0, 1.0, color)
    brush.polygon([(0.0, 0.0), (0.1, 0.0), (1.0, 1.0), (0.9, 1.0)], shade(color, 0.8))


def plate(brush: Brush, text: str) -> None:
    """A licence plate: dark letters on white."""
    brush.rectangle(0.0, 0.0, 1.0, 1.0, shade(DARK, 1.4))
    brush.rectangle(0.02, 0.07, 0.98, 0.93, WHITE)
    brush.text(text, (20, 18, 18), share=0.66)


def sign(brush: Brush, text: str, color: Color) -> None:
    """The panel of a traffic sign: light with a coloured frame."""
    brush.rectangle(0.0, 0.0, 1.0, 1.0, color)
    brush.rectangle(0.03, 0.08, 0.97, 0.92, WHITE)
    brush.text(text, (25, 20, 20), share=0.52)


SHAPES: Mapping[str, Shape] = {
    "car_rear": Shape(_car_rear, 1.25, (0.29, 0.58, 0.42, 0.17)),
    "car_side": Shape(_car_side, 2.3),
    "truck_rear": Shape(_truck_rear, 0.95, (0.28, 0.785, 0.44, 0.125)),
    "truck_side": Shape(_truck_side, 2.5),
    "bus_rear": Shape(_bus_rear, 0.95, (0.29, 0.76, 0.42, 0.13)),
    "bus_side": Shape(_bus_side, 2.9),
    "person": Shape(_person, 0.4),
    "tree": Shape(_tree, 0.8),
    "bin": Shape(_bin, 0.7),
    "lamp_post": Shape(_lamp_post, 0.12),
    "box": Shape(_box, 1.2),
}
