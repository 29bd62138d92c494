"""Send an accepted job to the jobs queue, and note that it was sent."""

from __future__ import annotations

from video_jobs.domain import transitions
from video_jobs.domain.errors import ConflictError
from video_jobs.domain.job import Job
from video_jobs.ports import Clock, JobRepository, QueueService


def queue_job(job: Job, *, jobs: JobRepository, queue: QueueService, clock: Clock) -> None:
    """Send first, note after: a crash in between sends it twice, which harms nothing, never zero times."""
    queue.enqueue(job.job_id, job.generation)
    try:
        jobs.update_status(job.job_id, transitions.mark_queued(job, now=clock.now()))
    except ConflictError:
        return  # a worker was faster and holds the job already
