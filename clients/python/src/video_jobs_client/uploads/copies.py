"""Copies of what cannot be read twice, such as a pipe: they go with the call that needs them."""

from __future__ import annotations

import lzma
import shutil
import tarfile
import tempfile
import threading
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Self

from video_jobs_client.errors import SourceError

CHUNK_BYTES = 256 * 1024
UNREADABLE = (
    OSError,
    EOFError,
    ValueError,  # the file is closed
    TypeError,  # its read takes no size, or gives no bytes
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    tarfile.TarError,
)
"""What reading a file may raise, if it is one of the standard library."""


class Copies:
    """A temporary folder, which is made when the first copy is.

    A call may be given up while another thread copies a stream for it. That thread then ends with the next
    piece of the stream.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._folder: Path | None = None
        self._is_over = False

    def copy_of(self, file: BinaryIO) -> Path:
        """The path of a copy of all that the file gives.

        Raises
        ------
        SourceError
            If the call has been given up.
        """
        path = self._made() / "video"
        try:
            with path.open("wb") as copy:
                for chunk in _chunks(file):
                    self._check()
                    copy.write(chunk)
        finally:
            if self._is_over:  # Windows removes no open file
                self._remove()
        return path

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._is_over = True
        self._remove()

    def _made(self) -> Path:
        with self._lock:
            self._check()
            self._folder = self._folder or Path(tempfile.mkdtemp(prefix="video-jobs-"))
            return self._folder

    def _check(self) -> None:
        if self._is_over:
            raise SourceError("The call was given up while its file was copied")

    def _remove(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while True:
        chunk: object = file.read(CHUNK_BYTES)
        if not isinstance(chunk, bytes | bytearray | memoryview):
            raise TypeError(f"it gives {type(chunk).__name__} in place of bytes")
        if not chunk:
            return
        yield bytes(chunk)
