"""An owner's jobs, newest first, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass

from video_jobs.domain.cursor import decode_cursor, encode_cursor
from video_jobs.domain.job import Job, JobStatus, from_iso, to_iso
from video_jobs.ports import JobPosition, JobRepository

JOBS_A_READ = 100
"""A page looks at so many jobs at most, however few of them pass its filter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """Which jobs are wanted; None: all."""

    status: JobStatus | None = None
    pipeline_id: str | None = None

    def passes(self, job: Job) -> bool:
        """Whether the job is wanted."""
        return self.status in (None, job.status) and self.pipeline_id in (None, job.pipeline_id)


@dataclass(frozen=True, slots=True)
class JobPage:
    """Some jobs; ``next_cursor`` is None at the end of the list. A filtered page may be short, or empty."""

    jobs: list[Job]
    next_cursor: str | None


def list_jobs(
    owner: str, wanted: JobFilter, limit: int, cursor: str | None, *, jobs: JobRepository
) -> JobPage:
    """At most ``limit`` jobs from ``cursor`` on; one read, whatever the number of jobs.

    Raises
    ------
    InvalidCursorError
        If the cursor is not one of this owner and this filter.
    """
    scope = (owner, wanted.status, wanted.pipeline_id)
    after = _position(decode_cursor(cursor, *scope)) if cursor else None
    has_filter = wanted != JobFilter()
    asked = JOBS_A_READ if has_filter else limit
    read = jobs.list_by_owner(owner, asked, after)
    page: list[Job] = []
    for seen, job in enumerate(read, start=1):
        if wanted.passes(job):
            page.append(job)
        if len(page) == limit or seen == asked:
            position = f"{to_iso(job.created_at)} {job.job_id}"
            return JobPage(page, encode_cursor(position, *scope))
    return JobPage(page, None)


def _position(text: str) -> JobPosition:
    created_at, _, job_id = text.partition(" ")
    return JobPosition(from_iso(created_at), job_id)
