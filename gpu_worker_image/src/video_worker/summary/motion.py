"""Where a box will be: a Kalman filter with constant velocity, in time rather than in frames."""

from __future__ import annotations

from math import sqrt

from video_worker.summary.frames import Box

_US = 1e-6
_MEASURED = 0.05**2
"""Variance of a detector's edges, in squares of the box's size."""
_FIRST_VELOCITY = 1.5**2
"""Variance of the velocity of a new box, in squares of sizes a second."""
_ACCELERATION = 1.0
"""How fast the variance of the velocity grows, a second."""
_MAX_GROWTH = 1.3
"""How much the size may change while the box is not seen."""


class Motion:
    """Centre and size of a box, each with its velocity.

    All four share one covariance, because their noise is relative to the size of the box.
    """

    def __init__(self, box: Box, at_us: int) -> None:
        self._state, self._velocity = _centre_and_size(box), [0.0] * 4
        self._variances = (_MEASURED, 0.0, _FIRST_VELOCITY)
        self._at_us = at_us

    def box_at(self, at_us: int) -> Box:
        """The expected box."""
        seconds = (at_us - self._at_us) * _US
        x, y, width, height = (
            value + speed * seconds for value, speed in zip(self._state, self._velocity, strict=True)
        )
        half_width = _limited(width, self._state[2]) / 2
        half_height = _limited(height, self._state[3]) / 2
        return (x - half_width, y - half_height, x + half_width, y + half_height)

    def doubt_at(self, at_us: int) -> float:
        """How far the expected box may be from the real one (standard deviation), in pixels."""
        variance, _, _ = self._variances_after((at_us - self._at_us) * _US)
        return sqrt(variance) * sqrt(max(1.0, self._state[2] * self._state[3]))

    def update(self, box: Box, at_us: int) -> None:
        """Take the box that was seen."""
        seconds = (at_us - self._at_us) * _US
        variance, covariance, velocity_variance = self._variances_after(seconds)
        gain, velocity_gain = variance / (variance + _MEASURED), covariance / (variance + _MEASURED)
        for axis, seen in enumerate(_centre_and_size(box)):
            expected = self._state[axis] + self._velocity[axis] * seconds
            self._state[axis] = expected + gain * (seen - expected)
            self._velocity[axis] += velocity_gain * (seen - expected)
        self._variances = (
            (1 - gain) * variance,
            (1 - gain) * covariance,
            velocity_variance - velocity_gain * covariance,
        )
        self._at_us = at_us

    def _variances_after(self, seconds: float) -> tuple[float, float, float]:
        """Variance of the position, covariance, variance of the velocity."""
        position, covariance, velocity = self._variances
        return (
            position + 2 * covariance * seconds + velocity * seconds**2 + _ACCELERATION * seconds**3 / 3,
            covariance + velocity * seconds + _ACCELERATION * seconds**2 / 2,
            velocity + _ACCELERATION * seconds,
        )


def size_of(box: Box) -> float:
    """The side of a square with the same area, in pixels; at least 1."""
    return max(1.0, sqrt(max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])))


def _centre_and_size(box: Box) -> list[float]:
    left, top, right, bottom = box
    return [(left + right) / 2, (top + bottom) / 2, right - left, bottom - top]


def _limited(expected: float, known: float) -> float:
    return max(known / _MAX_GROWTH, min(known * _MAX_GROWTH, expected))
