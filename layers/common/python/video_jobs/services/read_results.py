"""Read a page of a completed job's results, by byte range through the sidecar."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from video_jobs.domain.cursor import decode_cursor, encode_cursor
from video_jobs.domain.errors import FileMissingError, JobNotCompletedError
from video_jobs.domain.job import Job, JobStatus
from video_jobs.domain.keys import results_index_key
from video_jobs.domain.results import INDEX_RECORD, SEPARATOR, ResultsPage
from video_jobs.ports import StorageService

_RECORDS_A_READ = 1 << 12


@dataclass(frozen=True, slots=True)
class ResultsLimits:
    """How large a page may be (encoded as in Lambda's answer), and how long a download URL is valid."""

    max_answer_bytes: int
    download_expires_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultsQuery:
    """Which frames: by number in the video, both ends included; at most ``limit`` a page."""

    cursor: str | None = None
    limit: int | None = None
    from_frame: int = 0
    to_frame: int | None = None


def read_results(
    job: Job, query: ResultsQuery, *, storage: StorageService, limits: ResultsLimits
) -> ResultsPage:
    """The frames that are asked for, as many as fit an answer.

    Raises
    ------
    JobNotCompletedError
        If the job has no results (yet).
    InvalidCursorError
        If the cursor is not one of this job and these frames.
    """
    if job.status is not JobStatus.COMPLETED or job.output_path is None:
        raise JobNotCompletedError
    scope = (job.job_id, str(query.from_frame), str(query.to_frame))
    index = ResultsIndex(job, storage)
    first = int(decode_cursor(query.cursor, *scope)) if query.cursor else index.position_of(query.from_frame)
    end = len(index) if query.to_frame is None else index.position_of(query.to_frame + 1)
    offsets = _offsets_of_page(index, first, end, query.limit, limits.max_answer_bytes)
    count = len(offsets) - 1
    frames = b""
    if count:
        length = offsets[-1] - offsets[0] - len(SEPARATOR)
        frames = storage.read_range(job.output_path, offsets[0], length, job.output_version)
        frames, count = _fitting(frames, limits.max_answer_bytes)
    url = storage.presign_download(
        job.output_path, expires_s=limits.download_expires_s, version=job.output_version
    )
    next_cursor = encode_cursor(str(first + count), *scope) if first + count < end else None
    return ResultsPage(frames, count, next_cursor, url)


class ResultsIndex(Sequence[int]):
    """The sidecar: the number in the video of each frame of the results, read a block at a time.

    ``len`` counts the frames; `offset` also answers for the end of the last one.
    """

    def __init__(self, job: Job, storage: StorageService) -> None:
        self._key, self._version = results_index_key(job.job_id), job.output_index_version
        self._storage = storage
        self._blocks: dict[int, list[tuple[int, int]]] = {}

    def __len__(self) -> int:
        return self._frames

    def __getitem__(self, position: int) -> int:  # type: ignore[override]
        return self._record(position)[0]

    def offset(self, position: int) -> int:
        """Where in the results file the line of a frame begins."""
        return self._record(position)[1]

    def position_of(self, frame_index: int) -> int:
        """Position of the first frame that is not before ``frame_index``; reads O(log frames) blocks."""
        return bisect_left(self, frame_index) if frame_index else 0

    @cached_property
    def _frames(self) -> int:
        found = self._storage.find_file(self._key, self._version)
        if found is None:
            raise FileMissingError
        return found.size_bytes // INDEX_RECORD.size - 1  # the last record closes the file

    def _record(self, position: int) -> tuple[int, int]:
        number, within = divmod(position, _RECORDS_A_READ)
        if number not in self._blocks:
            length = _RECORDS_A_READ * INDEX_RECORD.size
            raw = self._storage.read_range(self._key, number * length, length, self._version)
            self._blocks[number] = list(INDEX_RECORD.iter_unpack(raw))
        return self._blocks[number][within]


def _offsets_of_page(index: ResultsIndex, first: int, end: int, limit: int | None, budget: int) -> list[int]:
    """Where the lines of the page begin, and where the line after them does; one line fits always."""
    last = end if limit is None else min(end, first + limit)
    return [index.offset(min(first, len(index))), *_following(index, first, last, budget)]


def _fitting(frames: bytes, budget: int) -> tuple[bytes, int]:
    """The frames that fit, and how many; the first one does always.

    Lambda's answer holds the body as a JSON text of its own, in which every quote takes two bytes.
    """
    lines, used = frames.split(SEPARATOR), 0
    for count, line in enumerate(lines):
        used += len(json.dumps(line.decode())) + 1
        if count and used > budget:
            return SEPARATOR.join(lines[:count]), count
    return frames, len(lines)


def _following(index: ResultsIndex, first: int, last: int, budget: int) -> Iterator[int]:
    for position in range(first + 1, last + 1):
        offset = index.offset(position)
        if position > first + 1 and offset - index.offset(first) > budget:
            return
        yield offset
