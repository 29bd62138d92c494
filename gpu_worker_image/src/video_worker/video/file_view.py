"""Read an open file independently of everyone else who reads it."""

from __future__ import annotations

import os


class FileView:
    """A position in an open file, of its own: a duplicated descriptor would share it.

    It has the methods that PyAV asks of a file, and needs no permission to open one.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._position = 0

    def read(self, size: int) -> bytes:
        """The next ``size`` bytes, or fewer at the end."""
        content = os.pread(self._descriptor, size, self._position)
        self._position += len(content)
        return content

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move the position, and return it."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = max(0, start + offset)
        return self._position

    def tell(self) -> int:
        """The position."""
        return self._position

    @property
    def _size(self) -> int:
        # not by fstat: some C libraries make a call of it that can look at any path, which decoders may not
        return os.lseek(self._descriptor, 0, os.SEEK_END)
