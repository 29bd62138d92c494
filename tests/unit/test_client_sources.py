"""Open files that are submitted: what they give is sent, whatever is on the disk, and no copy stays there."""

from __future__ import annotations

import gzip
import io
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import pytest
from video_jobs_client.errors import SourceError
from video_jobs_client.uploads.sources import LocalFile, opened

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
    video = opened(file)
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
    with pytest.raises(error, match=words):
        opened(file)
    assert list(copies.iterdir()) == []


@pytest.mark.parametrize("path", ["/dev/null", "/dev/zero"])
def test_the_path_of_a_device_is_refused(path: str) -> None:
    with pytest.raises(SourceError, match="is no regular file"):
        opened(path)
