"""Open files that are submitted: what they give is sent, whatever is on the disk, and no copy stays there."""

from __future__ import annotations

import asyncio
import gzip
import io
import lzma
import tarfile
import tempfile
import threading
import zipfile
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, cast

import anyio
import anyio.to_thread
import pytest
from video_jobs_client.errors import SourceError
from video_jobs_client.uploads.copies import Copies
from video_jobs_client.uploads.sources import LocalFile, opened

from tests.support.played_service import PlayedService

VIDEO = bytes(range(100))


@pytest.fixture
def copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files."""
    folder = tmp_path / "copies"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(VIDEO)
    return path


def sent(file: BinaryIO) -> tuple[bytes, bool]:
    """What would be sent, and whether it is of a copy."""
    with Copies() as copies:
        video = opened(file, copies)
        assert isinstance(video, LocalFile)
        return b"".join(video.slice(0, video.size_bytes).chunks()), video.is_temporary


@contextmanager
def gzipped(folder: Path) -> Iterator[object]:
    with gzip.open(folder / "a.mp4", "wb") as file:
        file.write(VIDEO)
    with gzip.open(folder / "a.mp4") as packed:
        yield packed


@contextmanager
def zipped(folder: Path) -> Iterator[object]:
    (folder / "a.mp4").write_bytes(b"another")
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        archive.writestr("a.mp4", VIDEO)
    with zipfile.ZipFile(folder / "a.zip") as archive, archive.open("a.mp4") as member:
        yield member


@contextmanager
def tarred(folder: Path) -> Iterator[object]:
    (folder / "a.mp4").write_bytes(VIDEO)
    with tarfile.open(folder / "a.tar", "w") as archive:
        archive.add(folder / "a.mp4", "a.mp4")
    (folder / "a.mp4").write_bytes(b"another")
    with tarfile.open(folder / "a.tar") as archive:
        yield archive.extractfile("a.mp4")


@contextmanager
def replaced(folder: Path) -> Iterator[object]:
    (folder / "a.mp4").write_bytes(VIDEO)
    (folder / "new.mp4").write_bytes(b"another")
    with (folder / "a.mp4").open("rb") as file:
        (folder / "new.mp4").replace(folder / "a.mp4")
        yield file


@contextmanager
def deleted(folder: Path) -> Iterator[object]:
    (folder / "a.mp4").write_bytes(VIDEO)
    with (folder / "a.mp4").open("rb") as file:
        (folder / "a.mp4").unlink()
        yield file


@pytest.mark.parametrize("made", [gzipped, zipped, tarred, replaced, deleted])
def test_what_a_file_gives_is_sent_and_not_what_is_at_its_path(
    made: Callable[[Path], AbstractContextManager[object]],
    copies: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    with made(tmp_path) as file:
        assert sent(cast("BinaryIO", file)) == (VIDEO, True)
    assert list(copies.iterdir()) == []


def test_a_file_on_disk_is_not_copied(clip: Path, copies: Path) -> None:
    with ExitStack() as stack:
        buffered, plain = (stack.enter_context(clip.open("rb", buffering=size)) for size in (-1, 0))
        plain.seek(5)
        own = stack.enter_context(tempfile.NamedTemporaryFile(dir=clip.parent))
        own.write(VIDEO)
        own.seek(0, io.SEEK_SET)
        files = [buffered, plain, own]
        assert [sent(cast("BinaryIO", file)) for file in files] == [
            (VIDEO, False),
            (VIDEO[5:], False),
            (VIDEO, False),
        ]
    assert list(copies.iterdir()) == []


class Failing(io.RawIOBase):
    """A stream that ends with an error."""

    def __init__(self, error: BaseException) -> None:
        self._errors: Iterator[BaseException] = iter([error])
        self._has_begun = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast("bytearray", buffer))
        if not view:
            return 0
        if self._has_begun:
            raise next(self._errors)
        self._has_begun = True
        view[:4] = b"abcd"
        return 4


@pytest.mark.parametrize(
    ("file", "error", "words"),
    [
        (io.BytesIO(), SourceError, "The file is empty"),
        (
            Failing(OSError(5, "Input/output error")),
            SourceError,
            "cannot be read and copied \\(Input/output error",
        ),
        (Failing(EOFError()), SourceError, "cannot be read and copied \\(EOFError"),
        (Failing(KeyboardInterrupt("^C")), KeyboardInterrupt, "C"),
        (Failing(RuntimeError("mine")), RuntimeError, "mine"),
    ],
)
def test_a_stream_that_cannot_be_copied_leaves_nothing(
    copies: Path, file: BinaryIO, error: type[BaseException], words: str
) -> None:
    with pytest.raises(error, match=words), Copies() as own:
        opened(file, own)
    assert list(copies.iterdir()) == []


def closed() -> object:
    file = io.BytesIO(VIDEO)
    file.close()
    return file


def closed_on_disk(clip: Path) -> object:
    with clip.open("rb") as file:
        return file


def for_writing(clip: Path) -> object:
    return (clip.parent / "new.mp4").open("wb")


def for_writing_without_buffer(clip: Path) -> object:
    return (clip.parent / "new.mp4").open("wb", buffering=0)


class WithoutSize:
    """Its read takes no size."""

    def read(self) -> bytes:
        return VIDEO


class Giving:
    """A stream that gives this, and then nothing."""

    def __init__(self, *given: object) -> None:
        self._given = iter(given)

    def read(self, size: int) -> object:
        return next(self._given, b"") if size else b""


def damaged_archive(_: Path) -> object:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.mp4", VIDEO)
    damaged = packed.getvalue().replace(VIDEO, VIDEO[::-1])
    return zipfile.ZipFile(io.BytesIO(damaged)).open("a.mp4")


def damaged_xz(_: Path) -> object:
    return lzma.open(io.BytesIO(lzma.compress(VIDEO)[:-20] + bytes(20)))


def released(_: Path) -> object:
    view = memoryview(VIDEO)
    view.release()
    return view


@pytest.mark.parametrize(
    "made",
    [
        lambda _: closed(),
        closed_on_disk,
        for_writing,
        for_writing_without_buffer,
        lambda _: WithoutSize(),
        lambda _: Giving(b"abc", "def"),
        lambda _: Giving(b"abc", None, b"def"),
        damaged_archive,
        damaged_xz,
        released,
        lambda _: "a\0b",
        lambda _: Path("a\0b"),
        lambda _: "\ud800.mp4",
        lambda _: "https://videos.example.com/\ud800.mp4",
        lambda _: "x" * 5000,
    ],
)
def test_what_cannot_be_read_is_a_source_error(
    made: Callable[[Path], object], clip: Path, copies: Path
) -> None:
    source = cast("BinaryIO", made(clip))
    with pytest.raises(SourceError) as failed, Copies() as own:
        opened(source, own)
    if isinstance(source, io.IOBase):
        source.close()
    assert str(failed.value).encode()
    assert list(copies.iterdir()) == []


@pytest.mark.parametrize("path", ["/dev/null", "/dev/zero"])
def test_the_path_of_a_device_is_refused(path: str) -> None:
    with pytest.raises(SourceError, match="is no regular file"):
        opened(path, Copies())


class Dripping:
    """A stream that gives a little now and then, for at most five seconds."""

    def __init__(self) -> None:
        self.has_begun, self._never = threading.Event(), threading.Event()
        self.thread: threading.Thread | None = None
        self._left = 500

    def read(self, size: int) -> bytes:
        if not size:
            return b""
        self.thread = threading.current_thread()
        self._left -= 1
        self._never.wait(0.01)
        self.has_begun.set()
        return b"abc" if self._left > 0 else b""


async def cancelled_task(analyse: Callable[[], Coroutine[Any, Any, object]], stream: Dripping) -> None:
    task = asyncio.ensure_future(analyse())
    await asyncio.to_thread(stream.has_begun.wait, 20)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def cancelled_scope(analyse: Callable[[], Coroutine[Any, Any, object]], stream: Dripping) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(analyse)
        await anyio.to_thread.run_sync(stream.has_begun.wait, 20)
        group.cancel_scope.cancel()


@pytest.mark.parametrize("cancelled", [cancelled_task, cancelled_scope])
def test_a_call_that_is_cancelled_ends_the_copy_of_its_stream(
    cancelled: Callable[..., Awaitable[None]], copies: Path
) -> None:
    # GIVEN a call that copies a stream
    stream, service = Dripping(), PlayedService([])
    left: list[Path] = []

    async def main() -> None:
        async with service.async_client() as client:
            # WHEN it is cancelled
            await cancelled(lambda: client.analyse(cast("BinaryIO", stream)), stream)
            left.extend(copies.iterdir())

    asyncio.run(main())
    # THEN no copy stays, and its thread ends with the next piece
    assert left == []
    assert stream.thread is not None
    stream.thread.join(20)
    assert (stream.thread.is_alive(), stream._left > 400) == (False, True)
    assert (list(copies.iterdir()), service.asked) == ([], [])
