"""Use cases for readers of results: a page of a completed job's frames, read by byte range."""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from math import ceil, floor

from video_jobs.domain.cursor import decode_cursor, encode_cursor
from video_jobs.domain.errors import (
    FileMissingError,
    InvalidCursorError,
    InvalidRequestError,
    JobNotCompletedError,
)
from video_jobs.domain.job import Job, JobStatus, Output
from video_jobs.domain.keys import results_index_key
from video_jobs.domain.results import (
    INDEX_RECORD,
    SEPARATOR,
    US_A_MS,
    IndexLayout,
    IndexRecord,
    ResultsPage,
    milliseconds,
)
from video_jobs.ports import StorageService
from video_jobs.use_cases.base import UseCases

_NUMBER = re.compile(r"[0-9]{1,18}")
_RECORDS_A_READ = 1 << 12
REST_BYTES = 1000
"""What an answer has besides frames, their times and the link: names of fields, job_id, cursor and so on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultsQuery:
    """The frames to read, at most ``limit`` per page: those within both ranges.

    ``from_frame`` to ``to_frame`` are indexes, ``from_ms`` to ``to_ms`` are times; all are inclusive.
    ``position`` stands in place of a cursor: so many frames come before the page.
    """

    cursor: str | None = None
    limit: int | None = None
    from_frame: int = 0
    to_frame: int | None = None
    from_ms: float | None = None
    to_ms: float | None = None
    position: int | None = None

    @property
    def scope(self) -> tuple[str, ...]:
        """What a cursor is bound to; without times as it was before there were times."""
        frames = (str(self.from_frame), str(self.to_frame))
        return frames if not self.has_times else (*frames, str(self.from_ms), str(self.to_ms))

    @property
    def has_times(self) -> bool:
        """Whether a range of times is asked for."""
        return (self.from_ms, self.to_ms) != (None, None)


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
        InvalidRequestError
            If times are asked for, and the results have none.
        """
        if job.status is not JobStatus.COMPLETED or job.output is None:
            raise JobNotCompletedError
        scope = (job.job_id, *query.scope)
        index = ResultsIndex(job.job_id, job.output.index_version, self._ports.storage)
        if query.has_times and not index.layout.has_times:
            raise InvalidRequestError(_NO_TIMES)
        end = index.end_of(query)
        first = _first_of(query, scope, index, end)
        url = self._url_of(job.output)
        budget = self._rules.max_answer_bytes - _encoded_bytes(url) - REST_BYTES
        records = _records_of_page(index, range(first, end)[: query.limit], budget)
        lines = _fitting(self._read_lines(job.output, records), records, budget)
        following = first + len(lines)
        return ResultsPage(
            frames_json=SEPARATOR.join(lines),
            times_json=_times_of(records[: len(lines)]) if index.layout.has_times else None,
            count=len(lines),
            next_cursor=encode_cursor(str(following), *scope) if following < end else None,
            results_url=url,
        )

    def _read_lines(self, output: Output, records: Sequence[IndexRecord]) -> list[bytes]:
        if not records:
            return []
        start, end = records[0].offset, records[-1].offset
        raw = self._ports.storage.read_range(output.key, start, end - start - len(SEPARATOR), output.version)
        return raw.split(SEPARATOR)

    def _url_of(self, output: Output) -> str:
        expires_s = int(self._rules.download_expires.total_seconds())
        return self._ports.storage.presign_download(output.key, expires_s=expires_s, version=output.version)


class ResultsIndex:
    """The index of the results (`domain.results`), read in blocks."""

    def __init__(self, job_id: str, version: str | None, storage: StorageService) -> None:
        self._key, self._version = results_index_key(job_id), version
        self._storage = storage
        self._blocks: dict[int, bytes] = {}

    @cached_property
    def layout(self) -> IndexLayout:
        """The form of the index, of this release or of an earlier one."""
        return IndexLayout.of(self._block(0))

    @cached_property
    def frames(self) -> int:
        """How many frames the results have."""
        found = self._storage.find_file(self._key, self._version)
        if found is None:
            raise FileMissingError
        return self.layout.frames(found.size_bytes)

    def record(self, position: int) -> IndexRecord:
        """A frame's record; position ``frames`` is the end of the last line."""
        number, at = divmod(self.layout.position(position), self._block_bytes)
        return self.layout.record(self._block(number), at)

    def start_of(self, query: ResultsQuery) -> int:
        """Position of the first frame within the ranges of the query; reads O(log frames) blocks."""
        by_index = self._first(_frame_index, query.from_frame)
        if query.from_ms is None:
            return by_index
        return max(by_index, self._first(_time_us, ceil(_microseconds(query.from_ms))))

    def end_of(self, query: ResultsQuery) -> int:
        """Position after the last frame within the ranges of the query; reads O(log frames) blocks."""
        by_index = self.frames if query.to_frame is None else self._first(_frame_index, query.to_frame + 1)
        if query.to_ms is None:
            return by_index
        return min(by_index, self._first(_time_us, floor(_microseconds(query.to_ms)) + 1))

    def _first(self, key: Callable[[IndexRecord], int], value: int) -> int:
        """Position of the first frame whose ``key`` is not less than ``value``."""
        if value == 0:
            return 0
        return bisect_left(range(self.frames), value, key=lambda position: key(self.record(position)))

    @property
    def _block_bytes(self) -> int:
        return _RECORDS_A_READ * INDEX_RECORD.size  # a multiple of the size of a record of every layout

    def _block(self, number: int) -> bytes:
        if number not in self._blocks:
            start, length = number * self._block_bytes, self._block_bytes
            self._blocks[number] = self._storage.read_range(self._key, start, length, self._version)
        return self._blocks[number]


_NO_TIMES = (
    "from_ms, to_ms: the results of this job were written before frames had times; "
    "use from_frame and to_frame, or submit the video again"
)


def _first_of(query: ResultsQuery, scope: tuple[str, ...], index: ResultsIndex, end: int) -> int:
    if query.position is None:
        return _position(query.cursor, scope, end) if query.cursor else index.start_of(query)
    if query.position > end:
        raise InvalidCursorError
    return query.position


def _position(cursor: str, scope: tuple[str, ...], end: int) -> int:
    """The position that a cursor names; no page ends with a cursor of ``end`` or beyond."""
    text = decode_cursor(cursor, *scope)
    if _NUMBER.fullmatch(text) is None or int(text) >= end:
        raise InvalidCursorError
    return int(text)


def _frame_index(record: IndexRecord) -> int:
    return record.frame_index


def _time_us(record: IndexRecord) -> int:
    return record.time_us or 0


def _microseconds(timestamp_ms: float) -> Decimal:
    """The exact number that a client wrote, which a product of floats may miss."""
    return Decimal(str(timestamp_ms)) * US_A_MS


def _records_of_page(index: ResultsIndex, positions: range, budget: int) -> list[IndexRecord]:
    """Records of a page's lines and of the line after them; the first line is always taken."""
    if not positions:
        return []
    records = [index.record(positions.start)]
    for position in positions:
        following = index.record(position + 1)
        if position > positions.start and following.offset - records[0].offset > budget:
            break
        records.append(following)
    return records


def _fitting(lines: list[bytes], records: Sequence[IndexRecord], budget: int) -> list[bytes]:
    """The frames that fit into an answer together with their times; the first one is always taken."""
    used = 0
    for count, (line, record) in enumerate(zip(lines, records, strict=False)):
        used += answer_bytes_of(line, record.time_us)
        if count and used > budget:
            return lines[:count]
    return lines


def answer_bytes_of(line: bytes, time_us: int | None) -> int:
    """What a frame and its time, if that is known, take of an answer."""
    time_bytes = 0 if time_us is None else len(milliseconds(time_us)) + 1
    return _encoded_bytes(line.decode()) + _encoded_bytes(SEPARATOR.decode()) + time_bytes


def _encoded_bytes(text: str) -> int:
    """Bytes of a text within an answer: Lambda encodes the body as a JSON string.

    Every quotation mark takes two bytes then.
    """
    return len(json.dumps(text)) - 2


def _times_of(records: Sequence[IndexRecord]) -> str:
    return ",".join(milliseconds(_time_us(record)) for record in records)
