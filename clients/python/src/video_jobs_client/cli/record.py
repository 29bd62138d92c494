"""What was submitted from this machine, so that the same video is not submitted twice.

One file for each server in the user's cache folder, with a line for each job. It holds hashes and job ids, no
names of files.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from video_jobs_client.errors import VideoJobsClientError

LAST = ("last", "-")
_LEAST_PREFIX = 4
_NO_PART_OF_RESULTS = ("callback_url", "filename")


class NoLastJobError(VideoJobsClientError):
    """No job was submitted to this server from this machine yet: `video-jobs list` shows your jobs."""


class AmbiguousJobError(VideoJobsClientError):
    """Several jobs have an id that begins so."""


@dataclass(frozen=True)
class Record:
    """The jobs that were submitted to one server."""

    path: Path

    @classmethod
    def of_server(cls, url: str) -> Self:
        """The record of a server."""
        from video_jobs_client.uploads.unfinished import cache_folder

        return cls(cache_folder() / f"submitted-{hashlib.sha256(url.encode()).hexdigest()[:16]}.jsonl")

    def add(self, key: str, job_id: str) -> None:
        """Remember a job."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        line = json.dumps({"key": key, "job_id": job_id}) + "\n"
        with os.fdopen(os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a") as file:
            file.write(line)

    def job_of(self, key: str) -> str | None:
        """The last job with this key."""
        return {one["key"]: one["job_id"] for one in self._lines()}.get(key)

    def job_ids(self) -> list[str]:
        """All jobs, the oldest first."""
        return list(dict.fromkeys(one["job_id"] for one in self._lines()))

    def _lines(self) -> Iterator[dict[str, str]]:
        try:
            text = self.path.read_text(encoding="utf-8")
        except OSError:
            return
        for line in text.splitlines():
            try:
                one = json.loads(line)
            except ValueError:
                continue  # the program ended while it wrote this line
            if isinstance(one, dict) and {"key", "job_id"} <= one.keys():
                yield one


def content_key(path: Path, options: Mapping[str, Any]) -> str:
    """What two submissions have in common whose results would be the same: content and options."""
    with path.open("rb") as file:
        content = hashlib.file_digest(file, "sha256").hexdigest()
    asked = {name: value for name, value in options.items() if name not in _NO_PART_OF_RESULTS}
    return f"{content} {json.dumps(asked, sort_keys=True)}" if asked else content


def job_id_of(name: str, record: Record) -> str:
    """The id of a job: of the last one, of the only one of this machine that begins so, or ``name`` itself.

    Raises
    ------
    NoLastJobError, AmbiguousJobError
        If there is none, or are several.
    """
    if name in LAST:
        ids = record.job_ids()
        if not ids:
            raise NoLastJobError(str(NoLastJobError.__doc__))
        return ids[-1]
    if len(name) < _LEAST_PREFIX:
        return name
    found = [one for one in record.job_ids() if one.startswith(name)]
    if len(found) > 1:
        raise AmbiguousJobError(f"{len(found)} jobs have an id that begins with {name}: add a few characters")
    return found[0] if found else name
