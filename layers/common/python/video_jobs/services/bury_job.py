"""A message that no worker could finish has landed in the dead-letter queue."""

from __future__ import annotations

from datetime import timedelta

from video_jobs.domain import transitions
from video_jobs.domain.job import Job, is_job_id
from video_jobs.ports import Clock, JobRepository

DEAD_LETTER_CODE = "dead_letter"
DEAD_LETTER_MESSAGE = (
    "The job was given up: its message was delivered many times and no worker could finish it. "
    "Convert the video and submit it again, or tell the operator."
)


class JobStillHeldError(Exception):
    """A worker still holds the job; look at the message again later."""


def bury_job(
    job_id: str, generation: int, *, jobs: JobRepository, clock: Clock, keep: timedelta
) -> Job | None:
    """Fail the job of a dead message, where the message is its newest and no worker holds it.

    Raises
    ------
    JobStillHeldError
        While a lease is live: the message must stay.
    ConflictError
        If the job changed while this looked at it: look again.
    """
    job = jobs.get_by_id(job_id) if is_job_id(job_id) else None
    if job is None or not job.status.is_open or generation < job.generation:
        return job
    if job.lease_is_live(clock.now()):
        raise JobStillHeldError(job_id)
    change = transitions.fail_unheld(
        job, code=DEAD_LETTER_CODE, message=DEAD_LETTER_MESSAGE, keep=keep, now=clock.now()
    )
    return jobs.update_status(job_id, change)
