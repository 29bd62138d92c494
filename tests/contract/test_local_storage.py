"""Files on this machine, with versions."""

from __future__ import annotations

from pathlib import Path

import pytest
from video_jobs.adapters.local_storage import LocalStorage
from video_jobs.domain.errors import FileMissingError, InvalidKeyError


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "storage")


def saved(storage: LocalStorage, folder: Path, key: str, content: bytes) -> str | None:
    source = folder / "source"
    source.write_bytes(content)
    return storage.save_file(key, source, "video/mp4").version


def test_what_was_saved_is_loaded(storage: LocalStorage, tmp_path: Path) -> None:
    saved(storage, tmp_path, "video_jobs/a.mp4", b"hello")
    storage.load_file("video_jobs/a.mp4", tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == b"hello"
    assert storage.read_range("video_jobs/a.mp4", 1, 3) == b"ell"
    assert list(storage.list_keys("video_jobs/")) == ["video_jobs/a.mp4"]


def test_an_older_version_stays_readable(storage: LocalStorage, tmp_path: Path) -> None:
    first = saved(storage, tmp_path, "k", b"one")
    second = saved(storage, tmp_path, "k", b"three")
    storage.load_file("k", tmp_path / "target", first)
    assert (tmp_path / "target").read_bytes() == b"one"
    found = storage.find_file("k")
    assert found is not None
    assert (found.version, found.size_bytes) == (second, 5)


def test_a_missing_file_is_an_error_and_leaves_no_target(storage: LocalStorage, tmp_path: Path) -> None:
    with pytest.raises(FileMissingError):
        storage.load_file("nothing", tmp_path / "target")
    assert not (tmp_path / "target").exists()
    assert storage.find_file("nothing") is None
    storage.delete_file("nothing")


def test_a_failed_save_leaves_nothing(storage: LocalStorage, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        storage.save_file("k", tmp_path / "absent", "video/mp4")
    assert [path for path in (tmp_path / "storage").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("key", ["../x", "/etc/passwd", "a/../../x"])
def test_traversal_is_refused(storage: LocalStorage, tmp_path: Path, key: str) -> None:
    (tmp_path / "source").write_bytes(b"x")
    with pytest.raises(InvalidKeyError):
        storage.save_file(key, tmp_path / "source", "video/mp4")
    with pytest.raises(InvalidKeyError):
        storage.load_file(key, tmp_path / "target")
