"""What is known of an upload that was interrupted, kept in the user's cache folder.

Each upload has a small file, named after the server, the file and the options. It holds neither a URL nor a
token. The Idempotency-Key is written before the job is submitted: if the program dies before the answer
comes, the next one gets the same job.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import platformdirs

from video_jobs_client.files import replacing
from video_jobs_client.models.base import NOT_AS_EXPECTED
from video_jobs_client.uploads.sources import LocalFile

FOLDER_VARIABLE = "VIDEO_JOBS_CACHE_DIR"
_KEPT_S = 7 * 24 * 3600.0
"""A service gives unfinished uploads up after at most this time."""
_WORD = re.compile(r"[\w-]{1,100}", re.ASCII)


class Unfinished(msgspec.Struct, frozen=True, kw_only=True):
    """An upload that has begun; ``job_id`` is None until the job was submitted."""

    key: str
    begun_at: float
    job_id: str | None = None

    @property
    def is_sound(self) -> bool:
        """Whether a header can carry the key, and a path the job_id."""
        words = (self.key,) if self.job_id is None else (self.key, self.job_id)
        return all(_WORD.fullmatch(word) for word in words)


def cache_folder() -> Path:
    """Where the client keeps what it can do without."""
    return Path(os.environ.get(FOLDER_VARIABLE) or platformdirs.user_cache_dir("video-jobs", appauthor=False))


@dataclass(frozen=True)
class UnfinishedUploads:
    """The unfinished uploads of this user; a folder that cannot be written keeps none."""

    now: Callable[[], float] = time.time

    @property
    def folder(self) -> Path:
        """Where they are kept."""
        return cache_folder() / "uploads"

    def find(self, name: str) -> Unfinished | None:
        """What is known of an upload; None if nothing, if it is too old, or if its file is damaged."""
        try:
            found = msgspec.json.decode(self._path(name).read_bytes(), type=Unfinished)
        except (OSError, *NOT_AS_EXPECTED):
            return None
        return found if found.is_sound and self.now() - found.begun_at < _KEPT_S else None

    def keep(self, name: str, upload: Unfinished) -> None:
        """Remember an upload, and forget those that are too old."""
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._clean_up()
            with replacing(self._path(name), 0o600) as path:
                path.write_bytes(msgspec.json.encode(upload))

    def forget(self, name: str) -> None:
        """The upload is complete, or given up."""
        with suppress(OSError):
            self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.json"

    def _clean_up(self) -> None:
        for path in self.folder.glob("*.json"):
            if self.now() - path.stat().st_mtime > _KEPT_S:
                path.unlink(missing_ok=True)


def name_of(server: str, file: LocalFile, options: Mapping[str, Any]) -> str:
    """What an upload is found by: the server, the file as it is now, and the options.

    A file is its path, size and time of change: reading 20 GiB to compare them would take longer than is won.
    """
    path = str(file.path).encode("utf-8", "backslashreplace").decode("utf-8")
    identity = [server, path, file.size_bytes, file.mtime_ns, file.start, dict(options)]
    text = msgspec.json.encode(identity, order="deterministic")
    return hashlib.sha256(text).hexdigest()[:32]
