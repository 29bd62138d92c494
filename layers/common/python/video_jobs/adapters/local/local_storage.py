"""Files in a folder of this machine, with versions, as in a versioned bucket."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

from video_jobs.adapters.new_file import new_file
from video_jobs.domain.byte_ranges import within
from video_jobs.domain.errors import FileMissingError, InvalidKeyError
from video_jobs.domain.keys import checked_key
from video_jobs.ports import PresignedUpload, StoredFile, UploadTerms

_BLOCK_BYTES = 1 << 20


class LocalStorage:
    """Current files are in ``files/``; each is hard-linked to its version in ``versions/<key>/``.

    Local paths are not signed: presigned requests are ``file:`` URLs.
    """

    def __init__(self, root: Path) -> None:
        self._files = (root / "files").resolve()
        self._versions = (root / "versions").resolve()
        self._incoming = (root / "incoming").resolve()
        for folder in (self._files, self._versions, self._incoming):
            folder.mkdir(parents=True, exist_ok=True)

    def save_file(self, key: str, source: Path, content_type: str) -> StoredFile:
        """Copy the file aside, then move it into place, so that readers see all of it or nothing."""
        current = self._path(self._files, key)
        version = uuid4().hex
        kept = self._path(self._versions, key) / version
        with self._copied_aside(source) as incoming:
            kept.parent.mkdir(parents=True, exist_ok=True)
            current.parent.mkdir(parents=True, exist_ok=True)
            os.link(incoming, kept)
            incoming.replace(current)
        return StoredFile(key, version, kept.stat().st_size)

    def load_file(self, key: str, target: Path, version: str | None = None) -> None:
        """Copy a stored file to ``target``."""
        with self._existing(key, version).open("rb") as source, new_file(target) as file:
            shutil.copyfileobj(source, file, _BLOCK_BYTES)

    def load_ranges(
        self, key: str, target: Path, ranges: Iterable[tuple[int, int]], version: str | None = None
    ) -> None:
        """Copy the ranges in blocks."""
        with self._existing(key, version).open("rb") as source, new_file(target) as file:
            size = os.fstat(source.fileno()).st_size
            file.truncate(size)
            for start, end in within(ranges, size):
                source.seek(start)
                file.seek(start)
                for at in range(start, end, _BLOCK_BYTES):
                    file.write(source.read(min(_BLOCK_BYTES, end - at)))

    def delete_file(self, key: str) -> None:
        """Delete the file and its versions."""
        self._path(self._files, key).unlink(missing_ok=True)
        shutil.rmtree(self._path(self._versions, key), ignore_errors=True)

    def delete_files(self, keys: Iterable[str]) -> None:
        """Delete many files."""
        for key in keys:
            self.delete_file(key)

    def find_file(self, key: str, version: str | None = None) -> StoredFile | None:
        """The file that is stored under ``key``, or None."""
        try:
            path = self._existing(key, version)
        except FileMissingError:
            return None
        return StoredFile(key, version or self._version_of(key, path), path.stat().st_size)

    def read_range(self, key: str, start: int, length: int, version: str | None = None) -> bytes:
        """Read a byte range of a file."""
        with self._existing(key, version).open("rb") as file:
            file.seek(start)
            return file.read(length)

    def list_keys(self, prefix: str) -> Iterator[str]:
        """The keys that begin with ``prefix``, sorted."""
        paths = (path for path in self._files.rglob("*") if path.is_file())
        keys = sorted(path.relative_to(self._files).as_posix() for path in paths)
        return (key for key in keys if key.startswith(prefix))

    def presign_upload(self, key: str, terms: UploadTerms, now: datetime) -> PresignedUpload:
        """The path of the file as a URL, without a signature."""
        url = self._path(self._files, key).as_uri()
        fields = {"key": key, "Content-Type": terms.content_type}
        return PresignedUpload(url, fields, now + timedelta(seconds=terms.expires_s), terms.max_bytes)

    def presign_download(self, key: str, *, expires_s: int, version: str | None = None) -> str:
        """The URL of the file, without a signature."""
        return self._existing(key, version).as_uri()

    @contextmanager
    def _copied_aside(self, source: Path) -> Iterator[Path]:
        incoming = self._incoming / uuid4().hex
        try:
            shutil.copyfile(source, incoming)
            yield incoming
        finally:
            incoming.unlink(missing_ok=True)

    def _existing(self, key: str, version: str | None) -> Path:
        path = self._path(self._files, key)
        if version is not None:
            path = self._path(self._versions, key) / Path(version).name
        if not path.is_file():
            raise FileMissingError(f"There is no file {key!r} in the storage")
        return path

    def _version_of(self, key: str, current: Path) -> str | None:
        versions = self._path(self._versions, key)
        return next((kept.name for kept in versions.iterdir() if kept.samefile(current)), None)

    def _path(self, base: Path, key: str) -> Path:
        path = base / checked_key(key)
        if not path.resolve().is_relative_to(base):
            raise InvalidKeyError(f"The key {key!r} leads out of the storage")
        return path
