"""A job's parts: written and joined line by line, and stored when they are full.

The key of a part contains a hash of everything that its bytes depend on (`video_jobs.domain.parts`).
Therefore a worker with another model or other libraries starts from the first frame, and so does a job whose
video was replaced.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from itertools import chain
from typing import BinaryIO, NamedTuple

from video_jobs.domain.errors import PipelineError
from video_jobs.domain.job import Job
from video_jobs.domain.keys import part_key, parts_prefix
from video_jobs.domain.parts import run_id
from video_jobs.ports import StorageService

from video_worker.analysis import AnalysedFrame, PartEnd
from video_worker.joined_results import JoinedResults
from video_worker.results_serializer import notes_line, part_line

CONTENT_TYPE = "application/jsonl"


class Finished(NamedTuple):
    """The leading parts that an earlier attempt stored, and how many frames they have."""

    parts: int
    frames: int


class JobParts:
    """The parts of one run of one job in the storage; each line of them goes to ``joined``.

    One part at a time is on this machine, in the folder of ``joined``.
    """

    def __init__(self, job: Job, fingerprint_id: str, storage: StorageService, joined: JoinedResults) -> None:
        self._job_id = job.job_id
        self._run_id = run_id(job, fingerprint_id)
        self._storage = storage
        self._joined = joined
        self._path = joined.folder / "part.jsonl"
        self._stored = 0

    @property
    def stored(self) -> int:
        """How many leading parts are in the storage."""
        return self._stored

    def fetch_finished(self) -> Finished:
        """Fetch the leading parts that an earlier attempt stored."""
        stored = set(self._storage.list_keys(parts_prefix(self._job_id) + self._run_id + "/"))
        while (key := self._key(self._stored)) in stored:
            self._storage.load_file(key, self._path)
            self._joined.add_part(self._path)
            self._stored += 1
        return Finished(self._stored, self._joined.frames)

    def write(self, run: Iterable[AnalysedFrame | PartEnd]) -> Iterator[int]:
        """Write a run part by part, store the complete parts, and yield the number of frames after each."""
        items = iter(run)
        for first in items:
            with self._path.open("wb") as file:
                end = yield from self._fill(file, chain([first], items))
            if end.is_complete:
                self._store(end.number)

    def _fill(
        self, file: BinaryIO, items: Iterable[AnalysedFrame | PartEnd]
    ) -> Generator[int, None, PartEnd]:
        """Write the lines of one part, and return its end."""
        for item in items:
            if isinstance(item, PartEnd):
                self._add(file, notes_line(item.notes))
                return item
            self._add(file, part_line(item))
            yield self._joined.frames
        raise PipelineError("The analysis ended in the middle of a part")

    def _add(self, file: BinaryIO, line: bytes) -> None:
        file.write(line)
        self._joined.add_line(line)

    def _store(self, number: int) -> None:
        """Store a part, so that another attempt need not compute it again."""
        self._storage.save_file(self._key(number), self._path, CONTENT_TYPE)
        self._stored += 1

    def _key(self, number: int) -> str:
        return part_key(self._job_id, self._run_id, number)


def remove_parts(job_id: str, storage: StorageService) -> None:
    """Delete all parts of a job from the storage."""
    storage.delete_files(storage.list_keys(parts_prefix(job_id)))
