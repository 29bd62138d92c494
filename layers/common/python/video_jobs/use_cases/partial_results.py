"""Use cases for readers who do not wait for the end of a job: the frames of its leading finished parts.

A part (`domain.parts`) is final as soon as it is stored. How many leading ones there are is told by the
worker's heartbeat, always together with the fingerprint of its run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

from video_jobs.bindings import Ports
from video_jobs.domain.cursor import decode_cursor, encode_cursor
from video_jobs.domain.errors import (
    FileMissingError,
    InvalidCursorError,
    JobNotCompletedError,
    JobNotFoundError,
    ResultsRestartedError,
)
from video_jobs.domain.job import Job, JobStatus
from video_jobs.domain.keys import part_key
from video_jobs.domain.parts import NOTES_START, fingerprint_id_of, run_id, time_and_frame
from video_jobs.domain.results import SEPARATOR, ResultsPage, milliseconds
from video_jobs.domain.rules import Rules
from video_jobs.use_cases.base import UseCases
from video_jobs.use_cases.results import REST_BYTES, Results, ResultsQuery, answer_bytes_of

_PARTS_A_PAGE = 50
_BLOCK_BYTES = 1 << 18
_CURSOR = re.compile(r"(\S+) ([0-9]{1,12}) ([0-9]{1,12}) ([0-9]{1,12})")


@dataclass(frozen=True, slots=True)
class PartialAnswer:
    """A page, with the job as it was read last.

    ``parts`` is the number of leading parts that the page reflects, whether it reaches that far or not.
    """

    job: Job
    parts: int
    page: ResultsPage


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the results of a run: after ``frames`` frames, at a line of a part."""

    fingerprint_id: str
    frames: int = 0
    part: int = 0
    offset: int = 0

    @classmethod
    def of_cursor(cls, cursor: str, job_id: str) -> Self:
        """The place that a cursor names.

        Raises
        ------
        InvalidCursorError
            If it is no cursor of partial results of this job.
        """
        found = _CURSOR.fullmatch(decode_cursor(cursor, *_scope(job_id)))
        if found is None:
            raise InvalidCursorError
        fingerprint_id, *numbers = found.groups()
        return cls(fingerprint_id, *map(int, numbers))

    def to_cursor(self, job_id: str) -> str:
        """The cursor that names this place; it is bound to the job and the run."""
        text = f"{self.fingerprint_id} {self.frames} {self.part} {self.offset}"
        return encode_cursor(text, *_scope(job_id))


class PartialResults(UseCases):
    """Read the results of a job as far as they are known."""

    def __init__(self, ports: Ports, rules: Rules, results: Results) -> None:
        super().__init__(ports, rules)
        self._results = results

    def read(self, job: Job, query: ResultsQuery) -> PartialAnswer:
        """Read the next frames of the leading finished parts; of a completed job, a page of all frames.

        Only ``cursor`` and ``limit`` of the query count. A page may be short, or empty, and still have a
        cursor; it is the last one if it is complete and has none.

        Raises
        ------
        JobNotCompletedError
            If the job has failed.
        InvalidCursorError
            If the cursor was not made for this job.
        ResultsRestartedError
            If the cursor was made for a run with another fingerprint.
        JobNotFoundError
            If the job was deleted meanwhile.
        """
        if job.status is JobStatus.COMPLETED:
            return self._read_completed(job, query)
        if not job.status.is_open:
            raise JobNotCompletedError
        place = _beginning(job, query.cursor)
        if place is None:
            return PartialAnswer(job, 0, ResultsPage(b"", "", 0, None, None, complete=False))
        page = _BegunPage(place, query.limit, self._rules.max_answer_bytes - REST_BYTES)
        try:
            self._fill(page, job)
        except FileMissingError:
            return self._end_without_part(page, job, query)
        return PartialAnswer(job, job.progress.parts_done, page.end(job.job_id))

    def _read_completed(self, job: Job, query: ResultsQuery) -> PartialAnswer:
        page = self._results.read(job, _query_of_completed(job, query))
        return PartialAnswer(job, job.progress.parts_done, replace(page, complete=True))

    def _fill(self, page: _BegunPage, job: Job) -> None:
        run, first = run_id(job, page.place.fingerprint_id), page.place.part
        for number in range(first, min(job.progress.parts_done, first + _PARTS_A_PAGE)):
            for line in self._lines_of_frames(part_key(job.job_id, run, number), page.place.offset):
                if not page.take(line):
                    return
            page.end_part()

    def _end_without_part(self, page: _BegunPage, job: Job, query: ResultsQuery) -> PartialAnswer:
        """A part is missing: the job has ended meanwhile, or ``parts_done`` is that of an earlier run.

        The latter happens if a worker of a release that does not record it took over.
        """
        newest = self._ports.jobs.get_by_id(job.job_id)
        if newest is None:
            raise JobNotFoundError
        if not newest.status.is_open:
            return self.read(newest, query)
        return PartialAnswer(job, page.place.part, page.end(job.job_id))

    def _lines_of_frames(self, key: str, offset: int) -> Iterator[bytes]:
        """The lines of frames of a part, without their ends; ``offset`` is where the first one begins."""
        lines = self._lines(key, max(0, offset - 1))
        if offset and next(lines, None) != b"":  # a forged cursor: there is no end of a line before
            raise InvalidCursorError
        for line in lines:
            if line.startswith(NOTES_START):
                return
            yield line
        raise InvalidCursorError if offset else ValueError(f"{key} ends without notes")

    def _lines(self, key: str, start: int) -> Iterator[bytes]:
        """The complete lines of a file, read in blocks."""
        rest = b""
        while block := self._ports.storage.read_range(key, start, _BLOCK_BYTES):
            start += len(block)
            *lines, rest = (rest + block).split(b"\n")
            yield from lines


class _BegunPage:
    """A page that is being filled; ``place`` is where the next one begins."""

    def __init__(self, place: Place, limit: int | None, budget: int) -> None:
        self.place = place
        self._limit, self._budget = limit, budget
        self._frames: list[bytes] = []
        self._times: list[str] = []

    def take(self, line: bytes) -> bool:
        """Take the frame of a line if it fits, and tell whether more may; the first one is always taken."""
        time_us, frame = time_and_frame(line)
        self._budget -= answer_bytes_of(frame, time_us)
        if self._frames and self._budget < 0:
            return False
        self._frames.append(frame)
        self._times.append(milliseconds(time_us))
        place = self.place
        self.place = replace(place, frames=place.frames + 1, offset=place.offset + len(line) + 1)
        return len(self._frames) != self._limit

    def end_part(self) -> None:
        """Go on with the next part."""
        self.place = replace(self.place, part=self.place.part + 1, offset=0)

    def end(self, job_id: str) -> ResultsPage:
        """The page as it is now."""
        return ResultsPage(
            frames_json=SEPARATOR.join(self._frames),
            times_json=",".join(self._times),
            count=len(self._frames),
            next_cursor=self.place.to_cursor(job_id),
            results_url=None,
            complete=False,
        )


def _beginning(job: Job, cursor: str | None) -> Place | None:
    """Where a page begins; None if no worker has opened the video yet."""
    if cursor is not None:
        return _place_of(job, cursor)
    fingerprint_id = fingerprint_id_of(job)
    return None if fingerprint_id is None else Place(fingerprint_id)


def _place_of(job: Job, cursor: str) -> Place:
    place = Place.of_cursor(cursor, job.job_id)
    if place.fingerprint_id != fingerprint_id_of(job):
        raise ResultsRestartedError
    return place


def _query_of_completed(job: Job, query: ResultsQuery) -> ResultsQuery:
    """The query for the results file; its own cursors are taken too."""
    try:
        place = _place_of(job, query.cursor or "")
    except InvalidCursorError:
        return query
    return replace(query, cursor=None, position=place.frames)


def _scope(job_id: str) -> tuple[str, str]:
    return "partial results", job_id
