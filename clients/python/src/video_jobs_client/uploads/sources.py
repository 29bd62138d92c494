"""What may be submitted: a path, a URL, the content itself, or an open file."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias, TypeVar

from video_jobs_client.errors import SourceError, VideoFileChangedError
from video_jobs_client.options import is_text
from video_jobs_client.protocol.effects import Body
from video_jobs_client.uploads.copies import CHUNK_BYTES, UNREADABLE, Copies

Source: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO
"""A path, a URL (``https://``), the content itself, or an open binary file."""
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

    A temporary file is a copy of ours, which `Copies` removes in the end.
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
        try:
            yield from self._read()
        except OSError as error:
            raise VideoFileChangedError(
                f"{self.file.path} can no longer be read ({error.strerror})"
            ) from None
        self.file.check()

    def _read(self) -> Iterator[bytes]:
        with self.file.path.open("rb") as file:
            file.seek(self.start)
            left = self.size_bytes
            while left:
                chunk = file.read(min(CHUNK_BYTES, left))
                if not chunk:
                    raise VideoFileChangedError(f"{self.file.path} has become shorter while it was uploaded")
                left -= len(chunk)
                yield chunk


def opened(source: Source, copies: Copies) -> RemoteVideo | LocalFile | Content:
    """Look at what is to be submitted.

    What cannot be read twice from the disk, such as a pipe or a member of an archive, is copied first.

    Raises
    ------
    SourceError
        If it is nothing that can be sent.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _in_memory(source)
    if isinstance(source, str) and "://" in source:
        return _remote(source)
    if isinstance(source, (str, os.PathLike)):
        return _on_disk(Path(os.fsdecode(source)))
    if not hasattr(source, "read"):
        kind = type(source).__name__
        raise SourceError(f"{kind} is no video: pass a path, a URL, its content, or a file that is open")
    return _open_file(source, copies)


def _in_memory(source: bytes | bytearray | memoryview) -> Content:
    try:
        return _not_empty(Content(bytes(source)), "The content")
    except ValueError as error:
        raise SourceError(f"The content cannot be read ({error})") from None


def _remote(url: str) -> RemoteVideo:
    kind, _, rest = url.partition("://")
    if kind.lower() != "https":
        raise SourceError(
            f"The service fetches videos from https:// only, not from {kind}://: "
            "pass a file, or a signed https:// URL of it"
        )
    if not is_text(rest):
        raise SourceError(f"{url!a} is no URL: it has half of a letter")
    return RemoteVideo(f"https://{rest}")


def _on_disk(path: Path) -> LocalFile:
    try:
        told = path.stat()
        if stat.S_ISDIR(told.st_mode):
            raise SourceError(f"{path} is a folder: pass the videos in it one by one")
        if not stat.S_ISREG(told.st_mode):
            raise SourceError(f'{path} is no regular file: pass open("{path}", "rb")')
        with path.open("rb"):
            pass
        whole = path.resolve()
    except OSError as error:
        raise SourceError(f"{path} cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise SourceError(f"{str(path)!a} cannot be the name of a file ({error})") from None
    return _not_empty(LocalFile(whole, told.st_size, told.st_mtime_ns, name_in_utf8(path)), str(path))


def name_in_utf8(path: Path) -> str:
    """The name of a file as JSON can hold it: a name on disk may have bytes that are no text."""
    return path.name.encode("utf-8", "replace").decode("utf-8")


def _open_file(file: BinaryIO, copies: Copies) -> LocalFile:
    try:
        if isinstance(file.read(0), str):
            raise SourceError('Open the file in binary mode: open(path, "rb")')
        return _on_disk_already(file) or _copied(file, copies)
    except UNREADABLE as error:
        raise SourceError(f"The file cannot be read and copied ({_reason(error)})") from error


def _on_disk_already(file: BinaryIO) -> LocalFile | None:
    """The file by its path; None if the path has not what the file gives, such as that of a gzip file."""
    named, raw = getattr(file, "name", None), getattr(file, "raw", file)
    if not isinstance(named, str) or not isinstance(raw, io.FileIO) or not file.seekable():
        return None
    path = Path(named)
    try:
        told = path.stat()
    except OSError:
        return None  # it was moved or deleted since
    if not stat.S_ISREG(told.st_mode) or not os.path.samestat(told, os.fstat(raw.fileno())):
        return None
    start = file.tell()
    video = LocalFile(path.resolve(), told.st_size - start, told.st_mtime_ns, name_in_utf8(path), start)
    return _not_empty(video, str(path))


def _copied(file: BinaryIO, copies: Copies) -> LocalFile:
    path = copies.copy_of(file)
    told = path.stat()
    return _not_empty(LocalFile(path, told.st_size, told.st_mtime_ns, None, is_temporary=True), "The file")


def _reason(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__


def _not_empty(video: VideoT, what: str) -> VideoT:
    if video.size_bytes <= 0:
        raise SourceError(f"{what} is empty")
    return video
