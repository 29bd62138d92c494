"""A worker takes the job that a message names, by the rules of the lease."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil

from video_jobs.domain import transitions
from video_jobs.domain.errors import ConflictError
from video_jobs.domain.job import Job, JobStatus, UploadState, is_job_id
from video_jobs.ports import Clock, JobRepository, QueueMessage

_LOOK_AGAIN_S = 1


class Verdict(StrEnum):
    """What is to be done with the message."""

    WORK = "work"
    ACKNOWLEDGE = "acknowledge"
    RETURN = "return"


@dataclass(frozen=True, slots=True)
class Claim:
    """The verdict on a message: ``job`` is set for WORK, ``delay_s`` counts for RETURN."""

    verdict: Verdict
    reason: str
    job: Job | None = None
    delay_s: int = 0


def claim_job(
    message: QueueMessage,
    worker_id: str,
    lease: timedelta,
    *,
    jobs: JobRepository,
    clock: Clock,
    max_crashes: int,
    keep: timedelta,
) -> Claim:
    """Claim the job of ``message``, or say what to do with a message that is not to be worked on."""
    job = jobs.get_by_id(message.body) if is_job_id(message.body) else None
    if job is None:
        return Claim(Verdict.ACKNOWLEDGE, "unknown job")
    refusal = _refusal(job, message, clock.now())
    if refusal is not None:
        return refusal
    try:
        if job.status is JobStatus.RUNNING and job.crashes + 1 >= max_crashes:
            _fail_crashed(job, jobs, clock, keep)
            return Claim(Verdict.ACKNOWLEDGE, "too many crashes")
        change = transitions.claim(job, worker_id=worker_id, lease=lease, now=clock.now())
        return Claim(Verdict.WORK, "claimed", jobs.update_status(job.job_id, change))
    except ConflictError:
        return Claim(Verdict.RETURN, "changed meanwhile", delay_s=_LOOK_AGAIN_S)


def _refusal(job: Job, message: QueueMessage, now: datetime) -> Claim | None:
    if not job.status.is_open:
        return Claim(Verdict.ACKNOWLEDGE, "job has ended")
    if message.generation < job.generation or job.upload_state is not UploadState.ACCEPTED:
        return Claim(Verdict.ACKNOWLEDGE, "older generation")
    if job.lease_expires_at is not None and job.lease_is_live(now):
        left_s = ceil((job.lease_expires_at - now).total_seconds())
        return Claim(Verdict.RETURN, "another worker holds the job", delay_s=left_s)
    return None


def crashed_message(crashes: int) -> str:
    """What the client reads when a job has killed too many workers."""
    return f"The job was given up: {crashes} workers in a row died on it. Convert the video."


def _fail_crashed(job: Job, jobs: JobRepository, clock: Clock, keep: timedelta) -> None:
    change = transitions.fail_unheld(
        job,
        code="worker_crashed",
        message=crashed_message(job.crashes + 1),
        keep=keep,
        now=clock.now(),
    )
    jobs.update_status(job.job_id, change)
