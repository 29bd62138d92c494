"""Which pictures of a video a job analyses."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """The choice of pictures; all times are those of the frame clock, from the first picture on.

    Attributes
    ----------
    stride
        Only pictures whose index is a multiple of it. It is 1 if there is a ``frames_per_second``.
    start_ms, end_ms
        Only pictures from ``start_ms`` on, and before ``end_ms``; None means from the first, to the last.
    frames_per_second
        Only the first picture at or after each tick of a clock that ticks so often, the first time at
        ``start_ms``. None if every picture is wanted.
    """

    stride: int = 1
    start_ms: float | None = None
    end_ms: float | None = None
    frames_per_second: float | None = None


EVERY_PICTURE = Sampling()
