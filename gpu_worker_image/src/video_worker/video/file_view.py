"""Read an open file, or the ranges of it that are here, independently of everyone else who reads it."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import inf

from video_jobs.domain.byte_ranges import ByteRange
from video_jobs.domain.errors import VideoJobsError


class OutsideRangesError(VideoJobsError):
    """A read of bytes that are not here, because only some ranges of the file were fetched."""


class VideoFile:
    """An open file. It needs no permission to open one.

    Parameters
    ----------
    ranges
        What is here of the file, in order and without ranges that touch; the rest of it is a hole. None if
        all of it is here.
    """

    def __init__(self, descriptor: int, ranges: Sequence[ByteRange] | None = None) -> None:
        self._descriptor = descriptor
        self._ranges = ranges
        self._noted: list[ByteRange] | None = None

    @property
    def size(self) -> int:
        """Its size, in bytes."""
        # not by fstat: some C libraries make a call of it that can look at any path, which decoders may not
        return os.lseek(self._descriptor, 0, os.SEEK_END)

    def read(self, position: int, size: int) -> bytes:
        """The next bytes from ``position`` on, at most ``size``: fewer at the end of the file or of a range.

        Raises
        ------
        OutsideRangesError
            If the first of them is not here.
        """
        content = os.pread(self._descriptor, min(size, self._end(position) - position), position)
        if self._noted is not None:
            self._noted.append(ByteRange(position, position + len(content)))
        return content

    def read_whole(self, position: int, size: int) -> bytes:
        """The next ``size`` bytes from ``position`` on: fewer only at the end of the file.

        Raises
        ------
        OutsideRangesError
            If one of them is not here.
        """
        content = piece = self.read(position, size)
        while piece and len(content) < size:
            piece = self.read(position + len(content), size - len(content))
            content += piece
        return content

    @contextmanager
    def noting(self, reads: list[ByteRange]) -> Iterator[None]:
        """Add to ``reads`` what is read meanwhile."""
        self._noted = reads
        try:
            yield
        finally:
            self._noted = None

    def _end(self, position: int) -> int:
        """The end of what is here from ``position`` on."""
        size = self.size
        if self._ranges is None or position >= size:
            return max(size, position)
        number = bisect_right(self._ranges, (position, inf)) - 1
        if number < 0 or position >= self._ranges[number].end:
            raise OutsideRangesError(f"The bytes from {position} on were not fetched")
        return self._ranges[number].end


class FileView:
    """A position in an open file, of its own: a duplicated descriptor would share it.

    It has the methods that PyAV asks of a file. An error of `VideoFile.read` comes out of the call of PyAV.
    """

    def __init__(self, file: VideoFile) -> None:
        self._file = file
        self._position = 0

    def read(self, size: int) -> bytes:
        """The next ``size`` bytes, or fewer at the end of the file or of a range of it."""
        content = self._file.read(self._position, size)
        self._position += len(content)
        return content

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move the position, and return it."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._file.size}[whence]
        self._position = max(0, start + offset)
        return self._position

    def tell(self) -> int:
        """The position."""
        return self._position
