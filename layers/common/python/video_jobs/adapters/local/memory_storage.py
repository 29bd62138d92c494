"""In-memory counterpart of the versioned bucket: thread-safe, with the same rules."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

from video_jobs.adapters.new_file import new_file
from video_jobs.domain.byte_ranges import within
from video_jobs.domain.errors import FileMissingError
from video_jobs.domain.keys import checked_key
from video_jobs.ports import PresignedUpload, StoredFile, UploadTerms


class MemoryStorage:
    """Files as bytes, each version kept; presigned requests are ``memory:`` URLs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = count(1)
        self._current: dict[str, str] = {}
        self._versions: dict[tuple[str, str], bytes] = {}

    def save_file(self, key: str, source: Path, content_type: str) -> StoredFile:
        """Keep the file's content."""
        return self.save_bytes(key, source.read_bytes())

    def save_bytes(self, key: str, content: bytes) -> StoredFile:
        """Keep ``content`` under ``key`` as its newest version."""
        with self._lock:
            version = f"v{next(self._numbers)}"
            self._versions[checked_key(key), version] = content
            self._current[key] = version
        return StoredFile(key, version, len(content))

    def load_file(self, key: str, target: Path, version: str | None = None) -> None:
        """Write a stored file to ``target``."""
        _, content = self._stored(key, version)
        with new_file(target) as file:
            file.write(content)

    def load_ranges(
        self, key: str, target: Path, ranges: Iterable[tuple[int, int]], version: str | None = None
    ) -> None:
        """Write the ranges to ``target``."""
        _, content = self._stored(key, version)
        with new_file(target) as file:
            file.truncate(len(content))
            for start, end in within(ranges, len(content)):
                file.seek(start)
                file.write(content[start:end])

    def delete_file(self, key: str) -> None:
        """Delete the file; its versions stay readable, as in a versioned bucket."""
        with self._lock:
            self._current.pop(checked_key(key), None)

    def delete_files(self, keys: Iterable[str]) -> None:
        """Delete many files."""
        for key in keys:
            self.delete_file(key)

    def find_file(self, key: str, version: str | None = None) -> StoredFile | None:
        """The file that is stored under ``key``, or None."""
        try:
            found, content = self._stored(key, version)
        except FileMissingError:
            return None
        return StoredFile(key, found, len(content))

    def read_range(self, key: str, start: int, length: int, version: str | None = None) -> bytes:
        """Read a byte range of a file."""
        _, content = self._stored(key, version)
        return content[start : start + max(0, length)]

    def list_keys(self, prefix: str) -> Iterator[str]:
        """The keys that begin with ``prefix``, sorted."""
        with self._lock:
            keys = sorted(key for key in self._current if key.startswith(prefix))
        return iter(keys)

    def presign_upload(self, key: str, terms: UploadTerms, now: datetime) -> PresignedUpload:
        """An unsigned form."""
        fields = {"key": checked_key(key), "Content-Type": terms.content_type}
        until = now + timedelta(seconds=terms.expires_s)
        return PresignedUpload("memory:", fields, until, terms.max_bytes)

    def presign_download(self, key: str, *, expires_s: int, version: str | None = None) -> str:
        """An unsigned URL."""
        return f"memory:{checked_key(key)}?version={version or self._current.get(key, '')}"

    def _stored(self, key: str, version: str | None) -> tuple[str, bytes]:
        """A version and its content, read under one lock, so that they belong together."""
        with self._lock:
            wanted = version or self._current.get(checked_key(key), "")
            content = self._versions.get((key, wanted))
        if content is None:
            raise FileMissingError(f"There is no file {key!r} in the storage")
        return wanted, content
