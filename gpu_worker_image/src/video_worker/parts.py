"""A job's parts: written line by line, stored when they are full, and joined at the end.

A part is a fixed number of processed frames. Its key contains the fingerprint of the worker that computed
it. Therefore a worker with another model or other libraries starts from the first frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, count
from pathlib import Path
from typing import Any, BinaryIO

from video_jobs.domain.job import Job
from video_jobs.domain.keys import part_key, parts_prefix
from video_jobs.ports import StorageService

from video_worker.results_serializer import frame_line

CONTENT_TYPE = "application/jsonl"


class JobParts:
    """The parts of one run of one job, in ``folder`` on this machine and in the storage."""

    def __init__(self, job: Job, fingerprint_id: str, storage: StorageService, folder: Path) -> None:
        self._job_id = job.job_id
        self._fingerprint_id = fingerprint_id
        self._length = job.part_frames
        self._storage = storage
        self._paths: list[Path] = []
        self.folder = folder

    @property
    def paths(self) -> list[Path]:
        """The parts on this machine, in order."""
        return self._paths

    def fetch_finished(self) -> int:
        """Fetch the leading parts that an earlier attempt stored, and return how many frames they hold."""
        prefix = parts_prefix(self._job_id) + self._fingerprint_id + "/"
        stored = set(self._storage.list_keys(prefix))
        for number in count():
            key = part_key(self._job_id, self._fingerprint_id, number)
            if key not in stored:
                return number * self._length
            path = self._path(number)
            self._storage.load_file(key, path)
            self._paths.append(path)
        raise AssertionError

    def write(self, frames: Iterable[Mapping[str, Any]]) -> Iterator[int]:
        """Write frames part by part, store each when it is full, and yield the number of frames so far."""
        done = len(self._paths) * self._length
        lines = (frame_line(frame) + b"\n" for frame in frames)
        for line in lines:
            with self._begin_part().open("wb") as file:
                for full in self._fill(file, line, lines):
                    done += 1
                    if full:
                        file.flush()
                        self._store_newest()
                    yield done

    def _fill(self, file: BinaryIO, line: bytes, more: Iterator[bytes]) -> Iterator[bool]:
        """Write the lines of one part, and yield after each whether the part is full."""
        for position, text in enumerate(chain([line], more), start=1):
            file.write(text)
            yield position == self._length
            if position == self._length:
                return

    def _begin_part(self) -> Path:
        self._paths.append(self._path(len(self._paths)))
        return self._paths[-1]

    def _store_newest(self) -> None:
        """Store the newest part, so that another attempt need not compute it again."""
        key = part_key(self._job_id, self._fingerprint_id, len(self._paths) - 1)
        self._storage.save_file(key, self._paths[-1], CONTENT_TYPE)

    def _path(self, number: int) -> Path:
        return self.folder / f"part-{number:06d}.jsonl"


def remove_parts(job_id: str, storage: StorageService) -> None:
    """Delete a job's parts of all fingerprints from the storage."""
    for key in list(storage.list_keys(parts_prefix(job_id))):
        storage.delete_file(key)
