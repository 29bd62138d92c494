"""Run a failed job once more."""

from __future__ import annotations

from video_jobs.domain import transitions
from video_jobs.domain.errors import ConflictError, JobStateError
from video_jobs.domain.job import Job, JobStatus, UploadState
from video_jobs.ports import Clock, JobRepository, QueueService, StorageService
from video_jobs.services.get_job import get_job
from video_jobs.services.queue_job import queue_job


def retry_job(
    job_id: str,
    owner: str,
    *,
    jobs: JobRepository,
    storage: StorageService,
    queue: QueueService,
    clock: Clock,
) -> Job:
    """``failed`` to ``pending`` under the next generation, then sent; reconcile sends it where this cannot.

    Raises
    ------
    JobNotFoundError
        If there is no such job of this owner.
    JobStateError
        If it has not failed, or its video was never accepted or is gone.
    """
    job = get_job(job_id, owner, jobs=jobs)
    if job.status is not JobStatus.FAILED:
        raise JobStateError(f"The job is {job.status}; only a failed job can be retried")
    accepted = job.upload_state is UploadState.ACCEPTED
    if not accepted or storage.find_file(job.input_path, job.input_version) is None:
        raise JobStateError("The job's video is not there; submit it again as a new job")
    try:
        job = jobs.update_status(job_id, transitions.retry(job, now=clock.now()))
    except ConflictError:
        raise JobStateError("The job was changed by another request; read it again") from None
    queue_job(job, jobs=jobs, queue=queue, clock=clock)
    return job
