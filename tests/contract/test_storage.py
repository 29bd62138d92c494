"""One contract for the storage, over memory, a local folder and S3 (moto)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from video_jobs.adapters.aws.s3 import _PART_BYTES, S3Storage
from video_jobs.adapters.local.local_storage import LocalStorage
from video_jobs.domain.errors import FileMissingError, InvalidKeyError, TransientError
from video_jobs.ports import StorageService, StoredFile, UploadTerms

from tests.contract.conftest import s3_storage

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TERMS = UploadTerms(content_type="video/quicktime", max_bytes=99, expires_s=60)


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


KEPT = b"0123456789" * 300_000


@pytest.mark.parametrize(
    ("ranges", "held"),
    [
        ([(0, 10), (1_000_000, 2_500_000)], [(0, 10), (1_000_000, 2_500_000)]),
        ([(5, 8), (2, 6)], [(2, 8)]),
        ([(len(KEPT) - 3, len(KEPT) + 9)], [(len(KEPT) - 3, len(KEPT))]),
        ([(len(KEPT), len(KEPT) + 9), (4, 4)], []),
        ([(0, len(KEPT))], [(0, len(KEPT))]),
    ],
)
def test_ranges_are_loaded_to_their_places_in_a_file_of_the_whole_size(
    storage: StorageService, tmp_path: Path, ranges: list[tuple[int, int]], held: list[tuple[int, int]]
) -> None:
    first = saved(storage, tmp_path, "k", KEPT)
    saved(storage, tmp_path, "k", b"another version")
    expected = bytearray(len(KEPT))
    for start, end in held:
        expected[start:end] = KEPT[start:end]
    storage.load_ranges("k", tmp_path / "target", ranges, first.version)
    assert (tmp_path / "target").read_bytes() == expected
    taken = (tmp_path / "target").stat().st_blocks * 512
    assert taken <= sum(end - start for start, end in held) + 64 * 1024


def test_ranges_of_the_newest_version_are_loaded_if_none_is_named(
    storage: StorageService, tmp_path: Path
) -> None:
    saved(storage, tmp_path, "k", b"one")
    saved(storage, tmp_path, "k", b"three")
    storage.load_ranges("k", tmp_path / "target", [(1, 3)])
    assert (tmp_path / "target").read_bytes() == b"\0hr\0\0"


def test_keys_are_listed_by_prefix_in_order(storage: StorageService, tmp_path: Path) -> None:
    for key in ("job_parts/b/1", "job_parts/a/2", "job_parts/a/1", "video_jobs/x"):
        saved(storage, tmp_path, key, b"x")
    assert list(storage.list_keys("job_parts/a/")) == ["job_parts/a/1", "job_parts/a/2"]


def test_a_file_is_deleted_and_may_be_deleted_again(storage: StorageService, tmp_path: Path) -> None:
    saved(storage, tmp_path, "k", b"x")
    storage.delete_file("k")
    storage.delete_file("k")
    assert storage.find_file("k") is None


def test_many_files_are_deleted_and_those_that_are_gone_are_no_error(
    storage: StorageService, tmp_path: Path
) -> None:
    for key in ("job_parts/a/1", "job_parts/a/2", "job_parts/b/1"):
        saved(storage, tmp_path, key, b"x")
    storage.delete_files(["nothing", *storage.list_keys("job_parts/a/")])
    storage.delete_files([])
    assert list(storage.list_keys("")) == ["job_parts/b/1"]
    with pytest.raises(InvalidKeyError):
        storage.delete_files(["../x"])


def test_s3_is_asked_once_for_a_thousand_files(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    storage, batches = s3_storage(), []
    delete = storage._client.delete_objects

    def counted(**arguments: Any) -> Any:
        batches.append(len(arguments["Delete"]["Objects"]))
        return delete(**arguments)

    monkeypatch.setattr(storage._client, "delete_objects", counted)
    storage.delete_files(f"job_parts/a/{number:06d}" for number in range(2500))
    assert batches == [1000, 1000, 500]


def test_what_s3_did_not_delete_is_an_error(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = s3_storage()
    left = {"Errors": [{"Key": "a", "Code": "SlowDown"}]}
    monkeypatch.setattr(storage._client, "delete_objects", lambda **_: left)
    with pytest.raises(TransientError, match="SlowDown"):
        storage.delete_files(["a", "b"])


LEAST_PART = 5 * 2**20
"""What S3 takes as a part that is not the last, in bytes."""


@pytest.fixture
def in_parts(aws: None) -> S3Storage:
    """A storage whose files go in the smallest parts."""
    storage = s3_storage()
    return S3Storage(storage._client, storage._bucket, part_bytes=LEAST_PART)


@pytest.mark.parametrize(("size_bytes", "parts"), [(LEAST_PART, 0), (LEAST_PART + 1, 2), (2 * LEAST_PART, 2)])
def test_a_large_file_is_stored_in_parts(
    in_parts: S3Storage, tmp_path: Path, size_bytes: int, parts: int
) -> None:
    content = bytes(range(256)) * (size_bytes // 256) + b"x" * (size_bytes % 256)
    older = saved(in_parts, tmp_path, "k", b"older")
    stored = saved(in_parts, tmp_path, "k", content)
    assert stored.size_bytes == size_bytes
    assert in_parts.find_file("k") == stored  # with the version of exactly this content
    assert older.version != stored.version
    assert loaded(in_parts, tmp_path, "k", stored.version) == content
    head = in_parts._client.head_object(Bucket=in_parts._bucket, Key="k")
    assert head["ContentType"] == "video/mp4"
    assert head["ETag"].strip('"').partition("-")[2] == (str(parts) if parts else "")


def test_parts_that_cannot_be_joined_are_removed(
    in_parts: S3Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = in_parts._client.upload_part

    def fail_at_second(**arguments: Any) -> Any:
        if arguments["PartNumber"] == 2:
            raise EndpointConnectionError(endpoint_url="https://s3")
        return upload(**arguments)

    monkeypatch.setattr(in_parts._client, "upload_part", fail_at_second)
    with pytest.raises(TransientError):
        saved(in_parts, tmp_path, "k", b"x" * (LEAST_PART + 1))
    assert in_parts.find_file("k") is None
    assert "Uploads" not in in_parts._client.list_multipart_uploads(Bucket=in_parts._bucket)


def test_one_request_and_its_parts_are_within_the_limits_of_s3() -> None:
    assert LEAST_PART <= _PART_BYTES <= 5 * 10**9


def test_a_missing_file_is_an_error_and_leaves_no_target(storage: StorageService, tmp_path: Path) -> None:
    with pytest.raises(FileMissingError):
        storage.load_file("nothing", tmp_path / "target")
    with pytest.raises(FileMissingError):
        storage.load_ranges("nothing", tmp_path / "target", [(0, 1)])
    assert not (tmp_path / "target").exists()


def test_a_failed_save_leaves_nothing(storage: StorageService, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        storage.save_file("k", tmp_path / "absent", "video/mp4")
    assert storage.find_file("k") is None


def test_a_failed_load_leaves_no_target(storage: StorageService, tmp_path: Path) -> None:
    saved(storage, tmp_path, "k", b"x" * 10)
    target = tmp_path / "target"
    target.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        storage.load_file("k", target)
    assert not target.is_symlink()
    target.symlink_to("/dev/full")
    with pytest.raises(OSError, match="Invalid argument"):
        storage.load_ranges("k", target, [(1, 9)])
    assert not target.is_symlink()


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
    upload = storage.presign_upload("k", TERMS, NOW)
    assert (upload.fields["key"], upload.fields["Content-Type"]) == ("k", "video/quicktime")
    assert (upload.max_bytes, (upload.expires_at - NOW).seconds) == (99, 60)


def test_a_presigned_download_names_the_version(storage: StorageService, tmp_path: Path) -> None:
    stored = saved(storage, tmp_path, "k", b"x")
    url = storage.presign_download("k", expires_s=60, version=stored.version)
    assert str(stored.version) in url
