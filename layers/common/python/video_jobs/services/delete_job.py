"""Delete a job with everything that belongs to it."""

from __future__ import annotations

from datetime import timedelta

from video_jobs.domain.errors import ConflictError, JobStateError
from video_jobs.domain.job import Job, JobStatus
from video_jobs.domain.keys import parts_prefix, results_index_key, results_key
from video_jobs.domain.transitions import Expected
from video_jobs.ports import Clock, JobRepository, StorageService
from video_jobs.services.cancel_job import cancel_job
from video_jobs.services.get_job import get_job


def delete_job(
    job_id: str,
    owner: str,
    *,
    jobs: JobRepository,
    storage: StorageService,
    clock: Clock,
    keep: timedelta,
) -> None:
    """The files first and the job last, so that after a crash the same call deletes the rest.

    A pending job is cancelled first: then no worker takes it while its video goes.

    Raises
    ------
    JobNotFoundError
        If there is no such job of this owner.
    JobStateError
        If it is running, or was changed meanwhile.
    """
    job = get_job(job_id, owner, jobs=jobs)
    if job.status is JobStatus.PENDING:
        job = cancel_job(job_id, owner, jobs=jobs, clock=clock, keep=keep)
    if job.status is JobStatus.RUNNING:
        raise JobStateError("The job is running: cancel it first")
    for key in _files(job, storage):
        storage.delete_file(key)
    try:
        jobs.delete(job_id, Expected(status=job.status, generation=job.generation))
    except ConflictError:
        raise JobStateError("The job was changed by another request; read it again") from None


def _files(job: Job, storage: StorageService) -> list[str]:
    fixed = [job.input_path, results_key(job.job_id), results_index_key(job.job_id)]
    return [*storage.list_keys(parts_prefix(job.job_id)), *fixed]
