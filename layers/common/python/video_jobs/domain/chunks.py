"""How a large video is cut into the chunks of a multipart upload.

S3 accepts at most 10,000 chunks (it calls them parts) of at most 5 GiB each.
"""

from __future__ import annotations

from math import ceil

from video_jobs.domain.errors import InvalidRequestError

MIB = 1 << 20
MIN_CHUNK_BYTES = 8 * MIB
MAX_CHUNKS = 10_000


def chunk_bytes_of(size_bytes: int) -> int:
    """Size of every chunk but the last, in bytes; it depends only on the video's size."""
    return max(MIN_CHUNK_BYTES, ceil(ceil(size_bytes / MAX_CHUNKS) / MIB) * MIB)


def chunk_sizes(size_bytes: int) -> list[int]:
    """Size of each chunk in bytes, in order; chunk numbers start at 1."""
    chunk_bytes = chunk_bytes_of(size_bytes)
    whole, rest = divmod(size_bytes, chunk_bytes)
    return [chunk_bytes] * whole + ([rest] if rest else [])


def size_of_chunk(size_bytes: int, number: int) -> int:
    """Size of one chunk in bytes.

    Raises
    ------
    InvalidRequestError
        If the video has no such chunk.
    """
    sizes = chunk_sizes(size_bytes)
    if not 1 <= number <= len(sizes):
        raise InvalidRequestError(f"This upload has the parts 1 to {len(sizes)}, not {number}")
    return sizes[number - 1]
