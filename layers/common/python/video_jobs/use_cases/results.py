"""Use cases for readers of results: a page of a completed job's frames, read by byte range."""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import accumulate
from math import ceil, floor
from typing import NamedTuple

from video_jobs.domain.cursor import decode_cursor, encode_cursor
from video_jobs.domain.errors import (
    FileMissingError,
    InvalidCursorError,
    InvalidRequestError,
    JobNotCompletedError,
    NoSummaryError,
)
from video_jobs.domain.job import Job, JobStatus, Output, SummaryOutput
from video_jobs.domain.keys import results_index_key, tracks_index_key
from video_jobs.domain.results import (
    INDEX_RECORD,
    SEPARATOR,
    US_A_MS,
    IndexLayout,
    IndexRecord,
    ResultsPage,
    SummaryPage,
    milliseconds,
)
from video_jobs.ports import StorageService
from video_jobs.use_cases.base import UseCases

_NUMBER = re.compile(r"[0-9]{1,18}")
_RECORDS_A_READ = 1 << 12
REST_BYTES = 1000
"""What an answer has besides links and what is read from files: names of fields, job_id, cursor and so on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultsQuery:
    """The frames to read, at most ``limit`` per page: those within both ranges.

    ``from_frame`` to ``to_frame`` are indexes, ``from_ms`` to ``to_ms`` are times; all are inclusive.
    ``with_tracks`` asks for the tracks of these frames as well.
    ``position`` stands in place of a cursor: so many frames come before the page.
    """

    cursor: str | None = None
    limit: int | None = None
    from_frame: int = 0
    to_frame: int | None = None
    from_ms: float | None = None
    to_ms: float | None = None
    with_tracks: bool = False
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
    """Read the results of a job, and its summary."""

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
        NoSummaryError
            If tracks are asked for, and the job has none.
        """
        output = _output_of(job)
        index = self._index(results_index_key(job.job_id), output.index_version)
        if query.has_times and not index.layout.has_times:
            raise InvalidRequestError(_NO_TIMES)
        scope = (job.job_id, *query.scope)
        end = index.end_of(query)
        first = _first_of(query, scope, index, end)
        links = self._links_of(output)
        room = self._room_beside(*links)
        positions = range(first, end)[: query.limit]
        records, lines = self._read_lines(output.key, output.version, index, positions, room)
        costs = [answer_bytes_of(line, one.time_us) for line, one in zip(lines, records, strict=False)]
        tracks: list[bytes] = []
        if query.with_tracks:
            tracks = self._read_tracks(job, output, positions[: len(lines)], room)
            costs = [cost + answer_bytes_of(line) for cost, line in zip(costs, tracks, strict=False)]
        count = _fitting(costs, room)
        following = first + count
        return ResultsPage(
            frames_json=SEPARATOR.join(lines[:count]),
            times_json=_times_of(records[:count]) if index.layout.has_times else None,
            count=count,
            next_cursor=encode_cursor(str(following), *scope) if following < end else None,
            tracks_json=SEPARATOR.join(tracks[:count]) if query.with_tracks else None,
            **links._asdict(),
        )

    def read_summary(self, job: Job) -> SummaryPage:
        """Read the summary, if it fits into one answer; no more of it is read than fits.

        Raises
        ------
        JobNotCompletedError
            If the job has no results yet, or has failed.
        NoSummaryError
            If the job ran before there were summaries.
        """
        summary = _summary_of(_output_of(job))
        summary_url = self._url_of(summary.key, summary.version)
        tracks_url = self._url_of(summary.tracks_key, summary.tracks_version)
        room = self._room_beside(summary_url, tracks_url)
        raw = self._ports.storage.read_range(summary.key, 0, room, summary.version)
        fits = raw.endswith(b"\n") and _encoded_bytes(raw.decode()) <= room  # its only line has an end
        return SummaryPage(raw.rstrip() if fits else None, summary_url, tracks_url)

    def _read_tracks(self, job: Job, output: Output, positions: range, room: int) -> list[bytes]:
        summary = _summary_of(output)
        index = self._index(tracks_index_key(job.job_id), summary.tracks_index_version)
        return self._read_lines(summary.tracks_key, summary.tracks_version, index, positions, room)[1]

    def _read_lines(
        self, key: str, version: str | None, index: ResultsIndex, positions: range, room: int
    ) -> tuple[list[IndexRecord], list[bytes]]:
        """The lines of a page, and the records of these and of the line after them."""
        records = _records_of_page(index, positions, room)
        if not records:
            return [], []
        start, end = records[0].offset, records[-1].offset
        raw = self._ports.storage.read_range(key, start, end - start - len(SEPARATOR), version)
        return records, raw.split(SEPARATOR)

    def _index(self, key: str, version: str | None) -> ResultsIndex:
        return ResultsIndex(key, version, self._ports.storage)

    def _links_of(self, output: Output) -> _Links:
        results_url, summary = self._url_of(output.key, output.version), output.summary
        if summary is None:
            return _Links(results_url, None, None)
        return _Links(
            results_url,
            self._url_of(summary.key, summary.version),
            self._url_of(summary.tracks_key, summary.tracks_version),
        )

    def _url_of(self, key: str, version: str | None) -> str:
        expires_s = int(self._rules.download_expires.total_seconds())
        return self._ports.storage.presign_download(key, expires_s=expires_s, version=version)

    def _room_beside(self, *urls: str | None) -> int:
        """How many bytes an answer may have besides these URLs and all that is always in it."""
        links = sum(_encoded_bytes(url) for url in urls if url)
        return max(1, self._rules.max_answer_bytes - REST_BYTES - links)


class _Links(NamedTuple):
    """URLs of files, as they are named in an answer."""

    results_url: str
    summary_url: str | None
    tracks_url: str | None


class ResultsIndex:
    """The index of results or tracks (`domain.results`), read in blocks."""

    def __init__(self, key: str, version: str | None, storage: StorageService) -> None:
        self._key, self._version = key, version
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


def _output_of(job: Job) -> Output:
    if job.status is not JobStatus.COMPLETED or job.output is None:
        raise JobNotCompletedError
    return job.output


def _summary_of(output: Output) -> SummaryOutput:
    if output.summary is None:
        raise NoSummaryError
    return output.summary


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


def _records_of_page(index: ResultsIndex, positions: range, room: int) -> list[IndexRecord]:
    """Records of a page's lines and of the line after them; the first line is always taken."""
    if not positions:
        return []
    records = [index.record(positions.start)]
    for position in positions:
        following = index.record(position + 1)
        if position > positions.start and following.offset - records[0].offset > room:
            break
        records.append(following)
    return records


def _fitting(costs: Iterable[int], room: int) -> int:
    """How many frames fit, each of which takes some bytes of the answer; the first one is always taken."""
    return sum(not number or total <= room for number, total in enumerate(accumulate(costs)))


def answer_bytes_of(line: bytes, time_us: int | None = None) -> int:
    """What a line and its time, if that is known, take of an answer."""
    time_bytes = 0 if time_us is None else len(milliseconds(time_us)) + 1
    return _encoded_bytes(line.decode()) + _encoded_bytes(SEPARATOR.decode()) + time_bytes


def _encoded_bytes(text: str) -> int:
    """Bytes of a text within an answer: Lambda encodes the body as a JSON string.

    Every quotation mark takes two bytes then.
    """
    return len(json.dumps(text)) - 2


def _times_of(records: Sequence[IndexRecord]) -> str:
    return ",".join(milliseconds(_time_us(record)) for record in records)
