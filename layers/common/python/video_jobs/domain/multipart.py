"""How a large video is cut into the parts of a multipart upload (S3's limits: 10,000 parts, 5 GiB each)."""

from __future__ import annotations

from math import ceil

from video_jobs.domain.errors import InvalidRequestError

MIB = 1 << 20
MIN_PART_BYTES = 8 * MIB
MAX_PARTS = 10_000


def part_bytes_of(size_bytes: int) -> int:
    """Size of every part but the last; it depends on the video's size alone."""
    return max(MIN_PART_BYTES, ceil(ceil(size_bytes / MAX_PARTS) / MIB) * MIB)


def part_sizes(size_bytes: int) -> list[int]:
    """Size of each part, in order; part numbers start at 1."""
    part_bytes = part_bytes_of(size_bytes)
    whole, rest = divmod(size_bytes, part_bytes)
    return [part_bytes] * whole + ([rest] if rest else [])


def size_of_part(size_bytes: int, number: int) -> int:
    """The size of one part.

    Raises
    ------
    InvalidRequestError
        If the video has no such part.
    """
    sizes = part_sizes(size_bytes)
    if not 1 <= number <= len(sizes):
        raise InvalidRequestError(f"This upload has the parts 1 to {len(sizes)}, not {number}")
    return sizes[number - 1]
