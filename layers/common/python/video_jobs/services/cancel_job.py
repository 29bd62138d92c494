"""End an open job because its owner says so."""

from __future__ import annotations

from datetime import timedelta

from video_jobs.domain import transitions
from video_jobs.domain.errors import ConflictError, JobStateError
from video_jobs.domain.job import Job, JobStatus
from video_jobs.ports import Clock, JobRepository
from video_jobs.services.get_job import get_job

CANCELLED = "cancelled"
_TRIES = 5


def cancel_job(job_id: str, owner: str, *, jobs: JobRepository, clock: Clock, keep: timedelta) -> Job:
    """One conditional write to ``failed``; a worker on it learns of it at its next heartbeat.

    Cancelling a cancelled job again changes nothing.

    Raises
    ------
    JobNotFoundError
        If there is no such job of this owner.
    JobStateError
        If it has ended otherwise.
    """
    for _ in range(_TRIES):
        job = get_job(job_id, owner, jobs=jobs)
        if job.status is JobStatus.FAILED and job.error_code == CANCELLED:
            return job
        if not job.status.is_open:
            raise JobStateError(f"The job is {job.status} already and cannot be cancelled")
        try:
            return jobs.update_status(job_id, transitions.cancel(job, keep=keep, now=clock.now()))
        except ConflictError:
            continue  # a worker claimed or ended it between our reading and writing: look again
    raise ConflictError
