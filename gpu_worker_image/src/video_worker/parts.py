"""A job's finished parts: written as lines, stored as they are done, joined at the end.

A part is a fixed number of processed frames. It is stored under the fingerprint of what computed it,
so a worker that computes with something else starts from the first frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

from video_jobs.domain.job import Job
from video_jobs.domain.keys import part_key, parts_prefix
from video_jobs.ports import StorageService

from video_worker.results_serializer import frame_line

CONTENT_TYPE = "application/jsonl"


class JobParts:
    """The parts of one run of one job, in a folder of this machine and in the storage."""

    def __init__(self, job: Job, fingerprint_id: str, storage: StorageService, folder: Path) -> None:
        self._job_id = job.job_id
        self._fingerprint_id = fingerprint_id
        self._length = job.part_frames
        self._storage = storage
        self._folder = folder
        self._paths: list[Path] = []
        self._frames_done = 0

    @property
    def paths(self) -> list[Path]:
        """The parts on this machine, in order."""
        return self._paths

    def fetch_finished(self) -> int:
        """Get the leading parts that an earlier attempt stored; answers how many frames they hold."""
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
        """Append frames part by part, storing each full part; gives the number of frames so far.

        The last part is never stored: the results file follows at once.
        """
        done = len(self._paths) * self._length
        for number, frame in enumerate(frames, start=done):
            if number % self._length == 0:
                self._store_last(number)
                self._paths.append(self._path(number // self._length))
            with self._paths[-1].open("ab") as file:
                file.write(frame_line(frame) + b"\n")
            self._frames_done = number + 1
            yield self._frames_done

    def store_if_full(self) -> None:
        """Store the last part, where it is full: before a run is given up halfway."""
        if self._frames_done and self._frames_done % self._length == 0:
            self._store_last(self._frames_done)

    def _store_last(self, frames_done: int) -> None:
        number = frames_done // self._length - 1
        if number >= 0:
            key = part_key(self._job_id, self._fingerprint_id, number)
            self._storage.save_file(key, self._path(number), CONTENT_TYPE)

    def _path(self, number: int) -> Path:
        return self._folder / f"part-{number:06d}.jsonl"


def remove_parts(job_id: str, storage: StorageService) -> None:
    """Delete a job's parts from the storage, whatever computed them."""
    for key in list(storage.list_keys(parts_prefix(job_id))):
        storage.delete_file(key)
