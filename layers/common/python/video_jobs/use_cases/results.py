"""Use cases for readers of results: a page of a completed job's frames, read by byte range."""

from __future__ import annotations

import json
from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property

from video_jobs.domain.cursor import decode_cursor, encode_cursor
from video_jobs.domain.errors import FileMissingError, JobNotCompletedError
from video_jobs.domain.job import Job, JobStatus, Output
from video_jobs.domain.keys import results_index_key
from video_jobs.domain.results import INDEX_RECORD, SEPARATOR, ResultsPage
from video_jobs.ports import StorageService
from video_jobs.use_cases.base import UseCases

_RECORDS_A_READ = 1 << 12


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultsQuery:
    """The frames to read: ``from_frame`` to ``to_frame`` (inclusive), at most ``limit`` per page."""

    cursor: str | None = None
    limit: int | None = None
    from_frame: int = 0
    to_frame: int | None = None


class Results(UseCases):
    """Read the results of a job."""

    def read(self, job: Job, query: ResultsQuery) -> ResultsPage:
        """Read the frames that the query names, as many as fit into one answer.

        Raises
        ------
        JobNotCompletedError
            If the job has no results yet, or has failed.
        InvalidCursorError
            If the cursor was not made for this job and these frames.
        """
        if job.status is not JobStatus.COMPLETED or job.output is None:
            raise JobNotCompletedError
        scope = (job.job_id, str(query.from_frame), str(query.to_frame))
        index = ResultsIndex(job.job_id, job.output.index_version, self._ports.storage)
        first = (
            int(decode_cursor(query.cursor, *scope)) if query.cursor else index.position_of(query.from_frame)
        )
        end = index.frames if query.to_frame is None else index.position_of(query.to_frame + 1)
        budget = self._rules.max_answer_bytes
        offsets = _offsets_of_page(index, range(first, end)[: query.limit], budget)
        frames, count = _fitting(self._read_lines(job.output, offsets), budget) if offsets else (b"", 0)
        next_cursor = encode_cursor(str(first + count), *scope) if first + count < end else None
        return ResultsPage(frames, count, next_cursor, self._url_of(job.output))

    def _read_lines(self, output: Output, offsets: list[int]) -> bytes:
        length = offsets[-1] - offsets[0] - len(SEPARATOR)
        return self._ports.storage.read_range(output.key, offsets[0], length, output.version)

    def _url_of(self, output: Output) -> str:
        expires_s = int(self._rules.download_expires.total_seconds())
        return self._ports.storage.presign_download(output.key, expires_s=expires_s, version=output.version)


class ResultsIndex:
    """The index of the results (`domain.results`), read in blocks."""

    def __init__(self, job_id: str, version: str | None, storage: StorageService) -> None:
        self._key, self._version = results_index_key(job_id), version
        self._storage = storage
        self._blocks: dict[int, list[tuple[int, int]]] = {}

    @cached_property
    def frames(self) -> int:
        """How many frames the results have."""
        found = self._storage.find_file(self._key, self._version)
        if found is None:
            raise FileMissingError
        return found.size_bytes // INDEX_RECORD.size - 1  # the last record closes the file

    def offset(self, position: int) -> int:
        """Byte offset of a frame's line in the results; position ``frames`` is the end of the last line."""
        return self._record(position)[1]

    def position_of(self, frame_index: int) -> int:
        """Position of the first frame at or after ``frame_index``; reads O(log frames) blocks."""
        if frame_index == 0:
            return 0
        return bisect_left(range(self.frames), frame_index, key=lambda position: self._record(position)[0])

    def _record(self, position: int) -> tuple[int, int]:
        number, within = divmod(position, _RECORDS_A_READ)
        if number not in self._blocks:
            length = _RECORDS_A_READ * INDEX_RECORD.size
            raw = self._storage.read_range(self._key, number * length, length, self._version)
            self._blocks[number] = list(INDEX_RECORD.iter_unpack(raw))
        return self._blocks[number][within]


def _offsets_of_page(index: ResultsIndex, positions: range, budget: int) -> list[int]:
    """Offsets of a page's lines and of the line after them; the first line is always taken."""
    if not positions:
        return []
    offsets = [index.offset(positions.start)]
    for position in positions:
        end = index.offset(position + 1)
        if position > positions.start and end - offsets[0] > budget:
            break
        offsets.append(end)
    return offsets


def _fitting(frames: bytes, budget: int) -> tuple[bytes, int]:
    """The frames that fit into an answer, and their number; the first one is always taken.

    Lambda encodes the body as a JSON string, in which every quotation mark takes two bytes.
    """
    lines, used = frames.split(SEPARATOR), 0
    for count, line in enumerate(lines):
        used += len(json.dumps(line.decode())) + 1
        if count and used > budget:
            return SEPARATOR.join(lines[:count]), count
    return frames, len(lines)
