"""Ranges of the bytes of a file."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple


class ByteRange(NamedTuple):
    """The bytes from ``start`` on, and before ``end``."""

    start: int
    end: int

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return self.end - self.start


def joined(
    ranges: Iterable[tuple[int, int]], *, gap: int = 0, most: int | None = None
) -> tuple[ByteRange, ...]:
    """These ranges in order, so that none touches another.

    Parameters
    ----------
    gap
        Ranges with so many bytes between them, or fewer, become one.
    most
        Most ranges of the answer; the smallest gaps are closed. At least 1.

    Examples
    --------
    >>> [tuple(one) for one in joined([(9, 10), (0, 3), (3, 4), (6, 7)], gap=1)]
    [(0, 4), (6, 7), (9, 10)]
    >>> [tuple(one) for one in joined([(9, 10), (0, 4), (5, 6)], most=2)]
    [(0, 6), (9, 10)]
    """
    found: list[ByteRange] = []
    for start, end in sorted(one for one in ranges if one[0] < one[1]):
        if found and start - found[-1].end <= gap:
            found[-1] = ByteRange(found[-1].start, max(end, found[-1].end))
        else:
            found.append(ByteRange(start, end))
    if most is None or len(found) <= most:
        return tuple(found)
    gaps = sorted(later.start - earlier.end for earlier, later in pairwise(found))
    return joined(found, gap=gaps[len(found) - most - 1], most=most)


def within(ranges: Iterable[tuple[int, int]], size: int) -> tuple[ByteRange, ...]:
    """What of these ranges is in a file of this size, in order."""
    return joined((start, min(end, size)) for start, end in ranges)
