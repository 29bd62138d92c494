"""The changes of a job whose video the service fetches from a URL, before the video has arrived.

One function at a time holds the fetch, by a lease in the job. `changes.accept_upload` ends it well.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from video_jobs.domain.changes import RECONCILE_GRACE, Change, Expected, refuse_upload
from video_jobs.domain.job import Failure, Job, JobChanges, JobStatus, Lease, Source, UploadState

FETCH_PATIENCE = timedelta(minutes=10)
"""How long reconcile leaves a fetch to the message that was sent for it."""


def claim_fetch(job: Job, *, fetcher_id: str, lease: timedelta, now: datetime) -> Change:
    """Give a function the fetch, which nobody holds."""
    return Change(
        job_id=job.job_id,
        action="claim_fetch",
        expected=replace(_fetching(job), lease_free_at=now),
        values={"updated_at": now, **_leased(fetcher_id, lease, now)},
    )


def keep_fetch(job: Job, *, source: Source, multipart_id: str, lease: timedelta, now: datetime) -> Change:
    """Extend the lease, and record which content the chunks of which upload are of."""
    upload = replace(job.upload, source=source, multipart_id=multipart_id)
    return Change(
        job_id=job.job_id,
        action="keep_fetch",
        expected=_held(job),
        values={"upload": upload, "updated_at": now, **_leased(job.worker_id or "", lease, now)},
    )


def pause_fetch(job: Job, *, source: Source, delay: timedelta, now: datetime) -> Change:
    """Release the fetch, which is to go on after ``delay``."""
    return Change(
        job_id=job.job_id,
        action="pause_fetch",
        expected=_held(job),
        values={
            "upload": replace(job.upload, source=source),
            "lease": None,
            "updated_at": now,
            "due_at": now + delay + FETCH_PATIENCE,
        },
    )


def fail_fetch(job: Job, failure: Failure, *, keep: timedelta, now: datetime) -> Change:
    """Fail the job, by the function that holds the fetch."""
    return replace(refuse_upload(job, failure, keep=keep, now=now), expected=_held(job))


def resend_fetch(job: Job, *, now: datetime) -> Change:
    """Send a fetch again that nobody holds, because its message may be lost."""
    return Change(
        job_id=job.job_id,
        action="resend_fetch",
        expected=replace(_fetching(job), lease_free_at=now),
        values={"due_at": now + FETCH_PATIENCE},
    )


def _fetching(job: Job) -> Expected:
    return Expected(
        status=JobStatus.PENDING,
        generation=job.generation,
        upload_state=UploadState.FETCHING,
        multipart_id=job.upload.multipart_id,
    )


def _held(job: Job) -> Expected:
    return replace(_fetching(job), worker_id=job.worker_id)


def _leased(fetcher_id: str, lease: timedelta, now: datetime) -> JobChanges:
    return {"lease": Lease(fetcher_id, now + lease), "due_at": now + lease + RECONCILE_GRACE}
