"""Line charts as SVG: a few lines of a fixed form, so that the same numbers give the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

_WIDTH, _HEIGHT = 720, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 20, 50, 50
_COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd")


@dataclass(frozen=True, slots=True)
class Line:
    """A line with its name; its points are in the order of x."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """An axis from ``low`` to ``high``."""

    title: str
    low: float
    high: float
    is_log: bool = False

    def share(self, value: float) -> float:
        """Where on the axis a value is, from 0 to 1; what is outside is at the end."""
        scale: Callable[[float], float] = log10 if self.is_log else float
        value = min(max(value, self.low), self.high)
        return (scale(value) - scale(self.low)) / (scale(self.high) - scale(self.low))

    def ticks(self) -> list[float]:
        """Powers of ten, or about five round numbers."""
        if self.is_log:
            return [10.0**power for power in range(ceil(log10(self.low)), floor(log10(self.high)) + 1)]
        rough = (self.high - self.low) / 5
        step = next(
            unit * 10 ** floor(log10(rough))
            for unit in (1, 2, 5, 10)
            if unit * 10 ** floor(log10(rough)) >= rough
        )
        return [self.low + number * step for number in range(int((self.high - self.low) / step) + 1)]


def chart(title: str, x: Axis, y: Axis, lines: Sequence[Line]) -> str:
    """The SVG file."""
    body = [*_frame(title, x, y)]
    for number, line in enumerate(lines):
        colour = _COLOURS[number % len(_COLOURS)]
        points = " ".join(f"{_x(x, one):.1f},{_y(y, two):.1f}" for one, two in line.points)
        body.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{points}"/>')
        left, top = _LEFT + 10, _TOP + 14 + 16 * number
        body.append(f'<rect x="{left}" y="{top - 8}" width="14" height="4" fill="{colour}"/>')
        body.append(_text(left + 20, top, line.name, "start"))
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" '
    )
    return head + 'font-size="12">\n' + "\n".join(body) + "\n</svg>\n"


def _frame(title: str, x: Axis, y: Axis) -> list[str]:
    """White ground, titles, ticks with their lines."""
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    parts = [f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>']
    parts.append(_text(_WIDTH / 2, 20, title, "middle"))
    parts.append(_text(_WIDTH / 2, _HEIGHT - 10, x.title, "middle"))
    parts.append(_text(10, 40, y.title, "start"))
    for tick in x.ticks():
        at = _x(x, tick)
        parts.append(f'<path stroke="#ddd" d="M{at:.1f} {_TOP}V{bottom}"/>')
        parts.append(_text(at, bottom + 16, f"{tick:,.0f}", "middle"))
    for tick in y.ticks():
        at = _y(y, tick)
        parts.append(f'<path stroke="#ddd" d="M{_LEFT} {at:.1f}H{right}"/>')
        parts.append(_text(_LEFT - 6, at + 4, f"{tick:,.0f}", "end"))
    return parts


def _x(axis: Axis, value: float) -> float:
    return _LEFT + axis.share(value) * (_WIDTH - _LEFT - _RIGHT)


def _y(axis: Axis, value: float) -> float:
    return _HEIGHT - _BOTTOM - axis.share(value) * (_HEIGHT - _TOP - _BOTTOM)


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
