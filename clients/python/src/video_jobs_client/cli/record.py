"""What was submitted from this machine, so that the same video is not submitted twice.

One file for each server in the user's cache folder, with a line for each job. It holds hashes and job ids, no
names of files.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Self

import typer

from video_jobs_client.errors import JobNotFoundError, SourceError, VideoJobsClientError

LAST = ("last", "-")
NEWEST = 1000
"""Among so many jobs of the service, the beginning of an id is looked for."""
_LEAST_PREFIX = 4
_WHOLE = len("3f0f6122-979e-4cf4-b70a-224e165cc97b")
_TOLD = 5
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

    def add(self, key: str | None, job_id: str) -> None:
        """Remember a job as the last one; without a key, nothing that is submitted later is the same."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        line = json.dumps({"key": key, "job_id": job_id}).encode() + b"\n"
        with os.fdopen(os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600), "r+b") as file:
            file.write(line if self._ends_with_a_line(file) else b"\n" + line)

    def job_of(self, key: str) -> str | None:
        """The last job with this key."""
        return {one_key: job_id for one_key, job_id in self._lines() if one_key is not None}.get(key)

    def job_ids(self) -> list[str]:
        """All jobs, the one that was named last at the end."""
        newest_first = dict.fromkeys(job_id for _, job_id in reversed([*self._lines()]))
        return [*reversed(newest_first)]

    @staticmethod
    def _ends_with_a_line(file: BinaryIO) -> bool:
        """False if a program ended while it wrote to the file."""
        if not file.seek(0, os.SEEK_END):
            return True
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"

    def _lines(self) -> Iterator[tuple[str | None, str]]:
        try:
            lines = self.path.read_bytes().splitlines()
        except OSError:
            return
        for line in lines:
            try:
                one = json.loads(line)
            except ValueError:
                continue  # the program ended while it wrote this line
            if (
                isinstance(one, dict)
                and isinstance(one.get("job_id"), str)
                and isinstance(one.get("key", 0), str | None)
            ):
                yield one["key"], one["job_id"]


def content_key(path: Path, options: Mapping[str, Any]) -> str:
    """What two submissions have in common whose results would be the same: content and options.

    Raises
    ------
    SourceError
        If the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SourceError(f"{path} cannot be read ({error.strerror})") from None
    asked = {name: value for name, value in options.items() if name not in _NO_PART_OF_RESULTS}
    return f"{content} {json.dumps(asked, sort_keys=True)}" if asked else content


def job_id_of(name: str, record: Record, newest: Callable[[], Sequence[str]]) -> str:
    """The id of a job: of the last one, ``name`` if it is whole, or of the only one that begins so.

    The jobs of this machine come first; if none of them fits, ``newest`` gives those of the service.

    Raises
    ------
    typer.BadParameter
        If ``name`` is too short to tell jobs apart.
    NoLastJobError, JobNotFoundError, AmbiguousJobError
        If there is none, or are several.
    """
    if name in LAST:
        ids = record.job_ids()
        if not ids:
            raise NoLastJobError(str(NoLastJobError.__doc__))
        return ids[-1]
    if len(name) < _LEAST_PREFIX:
        raise typer.BadParameter(f"give at least {_LEAST_PREFIX} characters of the id", param_hint="JOB")
    if len(name) >= _WHOLE:
        return name
    return _only(name, _beginning(name, record.job_ids()) or _beginning(name, newest()))


def _beginning(name: str, ids: Sequence[str]) -> list[str]:
    return [one for one in ids if one.startswith(name)]


def _only(name: str, found: Sequence[str]) -> str:
    if not found:
        raise JobNotFoundError(
            f"Neither a job of this machine nor one of your newest {NEWEST:,} jobs has an id that begins "
            f"with {name}",
            status=404,
        )
    if len(found) > 1:
        more = f" and {len(found) - _TOLD} more" if len(found) > _TOLD else ""
        raise AmbiguousJobError(
            f"{len(found)} jobs have an id that begins with {name}: {', '.join(found[:_TOLD])}{more}"
        )
    return found[0]
