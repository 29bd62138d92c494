"""What may be submitted: a path, a URL, the content itself, or an open file."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias, TypeVar

from video_jobs_client.errors import SourceError, VideoFileChangedError
from video_jobs_client.protocol.effects import Body

Source: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO
"""A path, a URL (``https://``), the content itself, or an open binary file."""
CHUNK_BYTES = 256 * 1024
VideoT = TypeVar("VideoT", "LocalFile", "Content")


@dataclass(frozen=True, slots=True)
class RemoteVideo:
    """A video that the service fetches by itself."""

    url: str


@dataclass(frozen=True, slots=True)
class Content:
    """A video in memory."""

    data: bytes
    name: str | None = None

    @property
    def size_bytes(self) -> int:
        """How long it is."""
        return len(self.data)

    def slice(self, start: int, size_bytes: int) -> Body:
        """Some of it."""
        return _Bytes(memoryview(self.data)[start : start + size_bytes])


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A video on disk, as it was when it was looked at; ``start`` is where the video begins.

    A temporary file is our own copy, to be removed in the end.
    """

    path: Path
    size_bytes: int
    mtime_ns: int
    name: str | None
    start: int = 0
    is_temporary: bool = False

    def slice(self, start: int, size_bytes: int) -> Body:
        """Some of it, read from disk when it is sent."""
        return _FileSlice(self, self.start + start, size_bytes)

    def check(self) -> None:
        """Raises VideoFileChangedError if the file is no longer what it was."""
        try:
            now = self.path.stat()
        except OSError as error:
            raise VideoFileChangedError(f"{self.path} can no longer be read ({error.strerror})") from None
        if (now.st_size, now.st_mtime_ns) != (self.start + self.size_bytes, self.mtime_ns):
            raise VideoFileChangedError(
                f"{self.path} has changed meanwhile: submit it again when it is complete"
            )


Video: TypeAlias = LocalFile | Content
"""A video that is here."""


@dataclass(frozen=True, slots=True)
class _Bytes:
    view: memoryview

    @property
    def size_bytes(self) -> int:
        return len(self.view)

    def chunks(self) -> Iterator[bytes]:
        for at in range(0, len(self.view), CHUNK_BYTES):
            yield bytes(self.view[at : at + CHUNK_BYTES])


@dataclass(frozen=True, slots=True)
class _FileSlice:
    file: LocalFile
    start: int
    size_bytes: int

    def chunks(self) -> Iterator[bytes]:
        self.file.check()
        with self.file.path.open("rb") as file:
            file.seek(self.start)
            left = self.size_bytes
            while left:
                chunk = file.read(min(CHUNK_BYTES, left))
                if not chunk:
                    raise VideoFileChangedError(f"{self.file.path} has become shorter while it was uploaded")
                left -= len(chunk)
                yield chunk
        self.file.check()


def opened(source: Source) -> RemoteVideo | LocalFile | Content:
    """Look at what is to be submitted.

    A file that cannot be read twice, such as a pipe, is copied to a temporary file first.

    Raises
    ------
    SourceError
        If it is nothing that can be sent.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _not_empty(Content(bytes(source)), "The content")
    if isinstance(source, str) and "://" in source:
        return _remote(source)
    if isinstance(source, (str, os.PathLike)):
        return _on_disk(Path(source))
    if not hasattr(source, "read"):
        kind = type(source).__name__
        raise SourceError(f"{kind} is no video: pass a path, a URL, its content, or a file that is open")
    return _open_file(source)


def _remote(url: str) -> RemoteVideo:
    kind, _, rest = url.partition("://")
    if kind.lower() != "https":
        raise SourceError(
            f"The service fetches videos from https:// only, not from {kind}://: "
            "pass a file, or a signed https:// URL of it"
        )
    return RemoteVideo(f"https://{rest}")


def _on_disk(path: Path) -> LocalFile:
    if path.is_dir():
        raise SourceError(f"{path} is a folder: pass the videos in it one by one")
    try:
        with path.open("rb"):
            told = path.stat()
    except OSError as error:
        raise SourceError(f"{path} cannot be read ({error.strerror})") from None
    return _not_empty(LocalFile(path.resolve(), told.st_size, told.st_mtime_ns, path.name), str(path))


def _open_file(file: BinaryIO) -> LocalFile | Content:
    if isinstance(file.read(0), str):
        raise SourceError('Open the file in binary mode: open(path, "rb")')
    named = getattr(file, "name", None)
    path = Path(named) if isinstance(named, str) else None
    if path is not None and path.is_file() and file.seekable():
        start, told = file.tell(), path.stat()
        size_bytes = told.st_size - start
        return _not_empty(
            LocalFile(path.resolve(), size_bytes, told.st_mtime_ns, path.name, start), str(path)
        )
    with tempfile.NamedTemporaryFile(prefix="video-jobs-", delete=False) as copy:
        shutil.copyfileobj(file, copy, CHUNK_BYTES)
    told = Path(copy.name).stat()
    video = LocalFile(Path(copy.name), told.st_size, told.st_mtime_ns, None, is_temporary=True)
    return _not_empty(video, "The file")


def _not_empty(video: VideoT, what: str) -> VideoT:
    if video.size_bytes <= 0:
        raise SourceError(f"{what} is empty")
    return video
