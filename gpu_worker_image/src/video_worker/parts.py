"""A job's parts: written line by line, stored when they are full, and joined.

The key of a part contains a hash of everything that its bytes depend on (`video_jobs.domain.parts`).
Therefore a worker with another model or other libraries starts from the first frame, and so does a job whose
video was replaced.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from video_jobs.domain.errors import PipelineError
from video_jobs.domain.job import Job
from video_jobs.domain.keys import PART_SUFFIX, part_key, parts_prefix, video_index_key
from video_jobs.domain.parts import run_id
from video_jobs.domain.segments import Segment
from video_jobs.ports import StorageService

from video_worker.analysis import AnalysedFrame, PartEnd
from video_worker.joined_results import JoinedResults
from video_worker.results_serializer import notes_line, part_line

CONTENT_TYPE = "application/jsonl"

Items = Iterator[AnalysedFrame | PartEnd]


class Finished(NamedTuple):
    """The leading parts that an earlier attempt stored, and how many frames they have."""

    parts: int
    frames: int


class StoredParts:
    """The parts of one run of one job in the storage."""

    def __init__(self, job: Job, fingerprint_id: str, storage: StorageService) -> None:
        self._job_id = job.job_id
        self._run_id = run_id(job, fingerprint_id)
        self._storage = storage

    def numbers(self) -> set[int]:
        """The numbers of the parts that are stored."""
        prefix = f"{parts_prefix(self._job_id)}{self._run_id}/"
        names = (key.removeprefix(prefix) for key in self._storage.list_keys(prefix))
        return {int(name.removesuffix(PART_SUFFIX)) for name in names if name.endswith(PART_SUFFIX)}

    def missing(self, segment: Segment) -> list[int]:
        """The parts of a segment that are not stored: all of them, if nobody had claimed it before."""
        there = self.numbers() if segment.claims > 1 else set()
        return [number for number in segment.parts if number not in there]

    def load(self, number: int, target: Path) -> None:
        """Fetch a part.

        Raises
        ------
        FileMissingError
            If it is not stored.
        """
        self._storage.load_file(self._key(number), target)

    def save(self, number: int, source: Path) -> None:
        """Store a complete part, so that nobody need compute it again."""
        self._storage.save_file(self._key(number), source, CONTENT_TYPE)

    def save_index(self, source: Path) -> None:
        """Store the video's index, for helpers that fetch only some bytes of the video."""
        key = video_index_key(self._job_id, self._run_id)
        self._storage.save_file(key, source, "application/octet-stream")

    def load_index(self, target: Path) -> None:
        """Fetch the video's index.

        Raises
        ------
        FileMissingError
            If it is not stored.
        """
        self._storage.load_file(video_index_key(self._job_id, self._run_id), target)

    def _key(self, number: int) -> str:
        return part_key(self._job_id, self._run_id, number)


class JobParts:
    """The parts of a run, taken from the first to the last; each line goes to ``joined``.

    One part at a time is on this machine, in the folder of ``joined``.
    """

    def __init__(self, storage: StoredParts, joined: JoinedResults) -> None:
        self.storage = storage
        self.joined = joined
        self._path = joined.folder / "part.jsonl"
        self._stored = 0

    @property
    def stored(self) -> int:
        """How many leading parts are in the storage."""
        return self._stored

    def fetch_finished(self) -> Finished:
        """Fetch the leading parts that an earlier attempt stored."""
        stored = self.storage.numbers()
        while self._stored in stored:
            self.storage.load(self._stored, self._path)
            self.add(self._path)
        return Finished(self._stored, self.joined.frames)

    def add(self, part: Path) -> None:
        """Join the next part, which is in the storage and was fetched from it or is here still."""
        self.joined.add_part(part)
        self._stored += 1

    def write(self, run: Iterable[AnalysedFrame | PartEnd]) -> Iterator[int]:
        """Write a run part by part, store the complete parts, and yield the number of frames after each."""
        items = iter(run)
        for first in items:
            end = yield from self._write_one(chain([first], items))
            if end.is_complete:
                self.storage.save(end.number, self._path)
                self._stored += 1

    def _write_one(self, items: Items) -> Generator[int, None, PartEnd]:
        with self._path.open("wb") as file:
            for item, line in part_lines(items):
                file.write(line)
                self.joined.add_line(line)
                if isinstance(item, PartEnd):
                    return item
                yield self.joined.frames
        raise PipelineError("The analysis ended in the middle of a part")


def part_lines(items: Iterable[AnalysedFrame | PartEnd]) -> Iterator[tuple[AnalysedFrame | PartEnd, bytes]]:
    """What an analysis gives, each with its line."""
    for item in items:
        yield item, notes_line(item.notes) if isinstance(item, PartEnd) else part_line(item)


def remove_parts(job_id: str, storage: StorageService) -> None:
    """Delete all parts of a job from the storage."""
    storage.delete_files(storage.list_keys(parts_prefix(job_id)))
