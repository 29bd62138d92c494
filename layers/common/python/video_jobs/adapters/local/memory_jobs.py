"""In-memory counterpart of the job table: thread-safe, with the same rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from video_jobs.adapters.local.memory_accounts import MemoryAccounts
from video_jobs.domain.accounts import Move
from video_jobs.domain.changes import Change, Expected
from video_jobs.domain.errors import ConflictError
from video_jobs.domain.job import Job
from video_jobs.ports import JobPosition


class MemoryJobRepository:
    """Jobs in a dictionary, and ``accounts`` of their owners."""

    def __init__(self, accounts: MemoryAccounts | None = None) -> None:
        self._accounts = accounts or MemoryAccounts()
        self._lock = self._accounts.lock
        self._jobs: dict[str, Job] = {}

    def save(self, job: Job, move: Move | None = None) -> None:
        """Store a new job."""
        with self._lock:
            if job.job_id in self._jobs:
                raise ConflictError(f"The job {job.job_id} exists already")
            self._move(move)
            self._jobs[job.job_id] = job

    def get_by_id(self, job_id: str) -> Job | None:
        """The job, or None."""
        with self._lock:
            return self._jobs.get(job_id)

    def list_by_ids(self, job_ids: Iterable[str]) -> list[Job]:
        """Those jobs that exist."""
        with self._lock:
            return [self._jobs[job_id] for job_id in job_ids if job_id in self._jobs]

    def update_status(self, change: Change) -> Job:
        """Make one change if the job is as expected."""
        with self._lock:
            job = self._jobs.get(change.job_id)
            if job is None or not change.is_possible(job):
                raise ConflictError
            self._move(change.move)
            self._jobs[job.job_id] = changed = change.apply(job)
            return changed

    def list_due(self, now: datetime) -> Iterator[Job]:
        """Open jobs that are due, in the order of their turns."""
        with self._lock:
            jobs = [job for job in self._jobs.values() if job.due_at and job.due_at <= now]
        return iter(sorted(jobs, key=lambda job: (job.due_rank, job.due_at)))

    def list_accepted(self, after: datetime, until: datetime, limit: int) -> list[Job]:
        """Open jobs with a video, by the time they are due."""
        with self._lock:
            due = [(job.due_at, job) for job in self._jobs.values() if job.due_at and job.due_rank == 0]
        within = [pair for pair in due if after < pair[0] <= until]
        return [job for _, job in sorted(within, key=lambda pair: pair[0])][:limit]

    def count_waiting(self, until: datetime, limit: int) -> int:
        """How many jobs wait for a turn."""
        with self._lock:
            due = [job for job in self._jobs.values() if job.waits and job.due_at and job.due_at <= until]
        return min(limit, len(due))

    def list_by_owner(self, owner: str, limit: int, after: JobPosition | None = None) -> list[Job]:
        """An owner's jobs, newest first."""
        with self._lock:
            own = [(job.created_at, job.job_id, job) for job in self._jobs.values() if job.owner == owner]
        if after is not None:
            own = [entry for entry in own if entry[:2] < (after.created_at, after.job_id)]
        return [job for *_, job in sorted(own, key=lambda entry: entry[:2], reverse=True)][:limit]

    def delete(self, job_id: str, expected: Expected) -> None:
        """Remove a job."""
        with self._lock:
            job = self._jobs.get(job_id)
            if job is not None and not expected.is_met_by(job):
                raise ConflictError
            self._jobs.pop(job_id, None)

    def _move(self, move: Move | None) -> None:
        if move is not None:
            self._accounts.check(move)
            self._accounts.make(move)
