"""Read one job, for its owner only."""

from __future__ import annotations

from video_jobs.domain.errors import JobNotFoundError
from video_jobs.domain.job import Job, is_job_id
from video_jobs.ports import JobRepository


def get_job(job_id: str, owner: str, *, jobs: JobRepository) -> Job:
    """The job; another owner's job is not found, so that nobody learns of it.

    Raises
    ------
    JobNotFoundError
        If there is no such job of this owner.
    """
    job = jobs.get_by_id(job_id) if is_job_id(job_id) else None
    if job is None or job.owner != owner:
        raise JobNotFoundError
    return job
