"""A job's parts: written line by line, stored when they are full, and joined at the end.

The key of a part contains a hash of everything that its bytes depend on (`video_jobs.domain.parts`).
Therefore a worker with another model or other libraries starts from the first frame, and so does a job whose
video was replaced.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from itertools import chain, count
from pathlib import Path
from typing import BinaryIO, NamedTuple

from video_jobs.domain.errors import PipelineError
from video_jobs.domain.job import Job
from video_jobs.domain.keys import part_key, parts_prefix
from video_jobs.domain.parts import run_id
from video_jobs.ports import StorageService

from video_worker.analysis import AnalysedFrame, PartEnd
from video_worker.results_serializer import notes_line, part_line, read_part

CONTENT_TYPE = "application/jsonl"


class Finished(NamedTuple):
    """The leading parts that an earlier attempt stored, and how many frames they have."""

    parts: int
    frames: int


class JobParts:
    """The parts of one run of one job, in ``folder`` on this machine and in the storage."""

    def __init__(self, job: Job, fingerprint_id: str, storage: StorageService, folder: Path) -> None:
        self._job_id = job.job_id
        self._run_id = run_id(job, fingerprint_id)
        self._storage = storage
        self._paths: list[Path] = []
        self._frames = 0
        self._stored = 0
        self.folder = folder

    @property
    def paths(self) -> list[Path]:
        """The parts on this machine, in order."""
        return self._paths

    @property
    def stored(self) -> int:
        """How many leading parts are in the storage."""
        return self._stored

    def fetch_finished(self) -> Finished:
        """Fetch the leading parts that an earlier attempt stored."""
        stored = set(self._storage.list_keys(parts_prefix(self._job_id) + self._run_id + "/"))
        for number in count():
            key = part_key(self._job_id, self._run_id, number)
            if key not in stored:
                break
            path = self._begin_part()
            self._storage.load_file(key, path)
            self._frames += read_part(path).frames
            self._stored += 1
        return Finished(len(self._paths), self._frames)

    def write(self, run: Iterable[AnalysedFrame | PartEnd]) -> Iterator[int]:
        """Write a run part by part, store the complete parts, and yield the number of frames after each."""
        items = iter(run)
        for first in items:
            with self._begin_part().open("wb") as file:
                end = yield from self._fill(file, chain([first], items))
            if end.is_complete:
                self._store(end.number)

    def _fill(
        self, file: BinaryIO, items: Iterable[AnalysedFrame | PartEnd]
    ) -> Generator[int, None, PartEnd]:
        """Write the lines of one part, and return its end."""
        for item in items:
            if isinstance(item, PartEnd):
                file.write(notes_line(item.notes))
                return item
            file.write(part_line(item))
            self._frames += 1
            yield self._frames
        raise PipelineError("The analysis ended in the middle of a part")

    def _begin_part(self) -> Path:
        self._paths.append(self.folder / f"part-{len(self._paths):06d}.jsonl")
        return self._paths[-1]

    def _store(self, number: int) -> None:
        """Store a part, so that another attempt need not compute it again."""
        key = part_key(self._job_id, self._run_id, number)
        self._storage.save_file(key, self._paths[number], CONTENT_TYPE)
        self._stored += 1


def remove_parts(job_id: str, storage: StorageService) -> None:
    """Delete all parts of a job from the storage."""
    storage.delete_files(storage.list_keys(parts_prefix(job_id)))
