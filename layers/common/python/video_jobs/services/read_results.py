"""Read a page of a completed job's results, by byte range through the sidecar."""

from __future__ import annotations

from dataclasses import dataclass

from video_jobs.domain.errors import JobNotCompletedError
from video_jobs.domain.job import Job, JobStatus
from video_jobs.domain.keys import results_index_key
from video_jobs.domain.results import (
    END_FRAME,
    INDEX_RECORD,
    SEPARATOR,
    ResultsPage,
    decode_cursor,
    encode_cursor,
)
from video_jobs.ports import StorageService

_INDEX_RECORDS_A_READ = 1 << 14


@dataclass(frozen=True, slots=True)
class ResultsLimits:
    """How large a page may be, and how long a download URL is valid."""

    max_answer_bytes: int
    download_expires_s: int


def read_results(
    job: Job, cursor: str | None, *, storage: StorageService, limits: ResultsLimits
) -> ResultsPage:
    """The frames from ``cursor`` on, as many as fit an answer.

    Raises
    ------
    JobNotCompletedError
        If the job has no results (yet).
    InvalidCursorError
        If the cursor is not one of ours.
    """
    if job.status is not JobStatus.COMPLETED or job.output_path is None:
        raise JobNotCompletedError
    first = decode_cursor(cursor) if cursor else 0
    offsets, ended = _offsets_of_page(job, first, storage, limits.max_answer_bytes)
    count = max(0, len(offsets) - 1)
    frames = b""
    if count:
        length = offsets[-1] - offsets[0] - len(SEPARATOR)
        frames = storage.read_range(job.output_path, offsets[0], length, job.output_version)
    url = None
    if not ended or first:
        url = storage.presign_download(
            job.output_path, expires_s=limits.download_expires_s, version=job.output_version
        )
    return ResultsPage(frames, count, None if ended else encode_cursor(first + count), url)


def _offsets_of_page(job: Job, first: int, storage: StorageService, budget: int) -> tuple[list[int], bool]:
    """Offsets of the lines of the page and of the line after it, and whether the file ends there."""
    offsets: list[int] = []
    while True:
        start = (first + len(offsets)) * INDEX_RECORD.size
        raw = storage.read_range(
            results_index_key(job.job_id),
            start,
            _INDEX_RECORDS_A_READ * INDEX_RECORD.size,
            job.output_index_version,
        )
        for frame_index, offset in INDEX_RECORD.iter_unpack(raw):
            if len(offsets) > 1 and offset - offsets[0] > budget:
                return offsets, False
            offsets.append(offset)
            if frame_index == END_FRAME:
                return offsets, True
        if len(raw) < _INDEX_RECORDS_A_READ * INDEX_RECORD.size:
            return offsets, True
