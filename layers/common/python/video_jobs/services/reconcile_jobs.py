"""Look after open jobs that something should have happened to by now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from video_jobs.domain import transitions
from video_jobs.domain.errors import ConflictError
from video_jobs.domain.job import Job, JobStatus, UploadState
from video_jobs.ports import Clock, JobRepository, QueueService, StorageService
from video_jobs.services.claim_job import crashed_message
from video_jobs.services.queue_job import queue_job

JOBS_A_RUN = 100


def reconcile_jobs(
    *,
    jobs: JobRepository,
    queue: QueueService,
    storage: StorageService,
    clock: Clock,
    accept: Callable[[str], Job | None],
    max_crashes: int,
    keep: timedelta,
    limit: int = JOBS_A_RUN,
) -> Counter[str]:
    """Take back expired leases, send again what was never sent, end uploads that never came.

    Bounded work a run, over the due-work index only; running it twice changes nothing more.

    Parameters
    ----------
    accept
        Called with the key of a video that did land without its event: `accept_upload`.

    Returns
    -------
    Counter of str
        How many jobs each action was taken for.
    """
    send = partial(queue_job, jobs=jobs, queue=queue, clock=clock)
    done: Counter[str] = Counter()
    for job in jobs.list_due(clock.now(), limit):
        try:
            done[_heal(job, jobs, storage, clock, accept, send, max_crashes, keep)] += 1
        except ConflictError:
            done["changed_meanwhile"] += 1
    return done


def _heal(
    job: Job,
    jobs: JobRepository,
    storage: StorageService,
    clock: Clock,
    accept: Callable[[str], Job | None],
    send: Callable[[Job], None],
    max_crashes: int,
    keep: timedelta,
) -> str:
    now = clock.now()
    if job.status is JobStatus.RUNNING:
        if job.crashes + 1 < max_crashes:
            send(jobs.update_status(job.job_id, transitions.take_back(job, now=now)))
            return "taken_back"
        text, code = crashed_message(job.crashes + 1), "worker_crashed"
    elif job.upload_state is UploadState.ACCEPTED:
        send(jobs.update_status(job.job_id, transitions.requeue(job, now=now)))
        return "sent_again"
    elif storage.find_file(job.input_path) is not None:
        accept(job.input_path)
        return "accepted_late"
    else:
        text = "The video was never uploaded; submit the job again (under a new Idempotency-Key)."
        code = "upload_expired"
    jobs.update_status(job.job_id, transitions.fail_unheld(job, code=code, message=text, keep=keep, now=now))
    return "failed"
