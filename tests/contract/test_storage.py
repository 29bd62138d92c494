"""One contract for the storage, over memory, a local folder and S3 (moto)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from video_jobs.adapters.local.local_storage import LocalStorage
from video_jobs.domain.errors import FileMissingError, InvalidKeyError
from video_jobs.ports import StorageService, StoredFile

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def saved(storage: StorageService, folder: Path, key: str, content: bytes) -> StoredFile:
    source = folder / "source"
    source.write_bytes(content)
    return storage.save_file(key, source, "video/mp4")


def loaded(storage: StorageService, folder: Path, key: str, version: str | None = None) -> bytes:
    storage.load_file(key, folder / "target", version)
    return (folder / "target").read_bytes()


def test_what_was_saved_is_loaded_again(storage: StorageService, tmp_path: Path) -> None:
    stored = saved(storage, tmp_path, "video_jobs/a.mp4", b"hello")
    assert (stored.key, stored.size_bytes) == ("video_jobs/a.mp4", 5)
    assert loaded(storage, tmp_path, "video_jobs/a.mp4") == b"hello"
    assert storage.find_file("video_jobs/a.mp4") == stored


def test_an_older_version_stays_readable(storage: StorageService, tmp_path: Path) -> None:
    first = saved(storage, tmp_path, "k", b"one")
    second = saved(storage, tmp_path, "k", b"three")
    assert first.version != second.version
    assert loaded(storage, tmp_path, "k", first.version) == b"one"
    assert storage.read_range("k", 0, 99, first.version) == b"one"
    assert storage.find_file("k") == second
    assert storage.find_file("k", first.version) == first


def test_ranges_end_with_the_file(storage: StorageService, tmp_path: Path) -> None:
    saved(storage, tmp_path, "k", b"hello")
    assert storage.read_range("k", 1, 3) == b"ell"
    assert storage.read_range("k", 3, 100) == b"lo"
    assert storage.read_range("k", 50, 10) == b""
    assert storage.read_range("k", 0, 0) == b""


def test_keys_are_listed_by_prefix_in_order(storage: StorageService, tmp_path: Path) -> None:
    for key in ("job_parts/b/1", "job_parts/a/2", "job_parts/a/1", "video_jobs/x"):
        saved(storage, tmp_path, key, b"x")
    assert list(storage.list_keys("job_parts/a/")) == ["job_parts/a/1", "job_parts/a/2"]


def test_a_file_is_deleted_and_may_be_deleted_again(storage: StorageService, tmp_path: Path) -> None:
    saved(storage, tmp_path, "k", b"x")
    storage.delete_file("k")
    storage.delete_file("k")
    assert storage.find_file("k") is None


def test_a_missing_file_is_an_error_and_leaves_no_target(storage: StorageService, tmp_path: Path) -> None:
    with pytest.raises(FileMissingError):
        storage.load_file("nothing", tmp_path / "target")
    assert not (tmp_path / "target").exists()


def test_a_failed_save_leaves_nothing(storage: StorageService, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        storage.save_file("k", tmp_path / "absent", "video/mp4")
    assert storage.find_file("k") is None


def test_a_failed_load_leaves_no_target(
    storage: StorageService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(storage, tmp_path, "k", b"x" * 10)
    monkeypatch.setattr("shutil.copyfile", _break_halfway)
    monkeypatch.setattr("botocore.response.StreamingBody.iter_chunks", _break_halfway_in_chunks)
    monkeypatch.setattr("pathlib.Path.write_bytes", _break_halfway_in_bytes)
    with pytest.raises(OSError, match="disk full"):
        storage.load_file("k", tmp_path / "target")
    assert not (tmp_path / "target").exists()


def _break_halfway(source: Path, target: Path) -> None:
    target.write_bytes(b"half")
    raise OSError("disk full")


def _break_halfway_in_chunks(*_: object) -> object:
    yield b"half"
    raise OSError("disk full")


@pytest.mark.parametrize("key", ["../x", "/etc/passwd", "a/../../x", "a//b", ""])
def test_a_key_that_leads_out_is_refused(storage: StorageService, tmp_path: Path, key: str) -> None:
    (tmp_path / "source").write_bytes(b"x")
    with pytest.raises(InvalidKeyError):
        storage.save_file(key, tmp_path / "source", "video/mp4")
    with pytest.raises(InvalidKeyError):
        storage.load_file(key, tmp_path / "target")
    with pytest.raises(InvalidKeyError):
        storage.delete_file(key)


def test_a_link_that_leads_out_is_refused(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path / "storage")
    (tmp_path / "storage" / "files" / "out").symlink_to(tmp_path)
    with pytest.raises(InvalidKeyError):
        storage.read_range("out/secret", 0, 1)


def test_a_presigned_upload_tells_key_type_size_and_end(storage: StorageService) -> None:
    upload = storage.presign_upload("k", content_type="video/mp4", max_bytes=99, expires_s=60, now=NOW)
    assert (upload.fields["key"], upload.fields["Content-Type"]) == ("k", "video/mp4")
    assert (upload.max_bytes, (upload.expires_at - NOW).seconds) == (99, 60)


def test_a_presigned_download_names_the_version(storage: StorageService, tmp_path: Path) -> None:
    stored = saved(storage, tmp_path, "k", b"x")
    url = storage.presign_download("k", expires_s=60, version=stored.version)
    assert str(stored.version) in url


def _break_halfway_in_bytes(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content[:5])
    raise OSError("disk full")
