"""Turns: only so many jobs of an owner are in the jobs queue at once, the others wait in the table.

These functions add to a change the `Move` that it makes, and thereby its effect on the owner's account.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from video_jobs.domain.accounts import Move, Place, Quotas
from video_jobs.domain.changes import RECONCILE_GRACE, Change, Expected
from video_jobs.domain.job import Job, JobStatus

WAITING_PATIENCE = timedelta(minutes=10)
"""How long reconcile leaves a waiting job alone if it found no free turn for it."""


def moved(
    change: Change, job: Job, after: Place | None, *, turns: int | None = None, quotas: Quotas | None = None
) -> Change:
    """The change with the job's move to ``after``; it stays one without a move if the place is the same."""
    if job.place is after:
        return change
    move = replace(move_of(job, after), turns=turns, quotas=quotas)
    return replace(change, values={**change.values, "place": after}, move=move)


def move_of(job: Job, after: Place | None) -> Move:
    """The move from the job's place to ``after``, without any limit."""
    return Move(
        owner=job.owner,
        job_id=job.job_id,
        created_at=job.created_at,
        before=job.place,
        after=after,
        bytes_awaited=bytes_awaited(job),
    )


def bytes_awaited(job: Job) -> int:
    """For how many bytes an awaited upload of the job counts."""
    return job.upload.announced_bytes or 0


def take_turn(job: Job, place: Place, turns: int | None, *, now: datetime) -> Change:
    """Let a waiting job be sent: to SENT with one of its owner's ``turns``, to OPEN without."""
    change = Change(
        job_id=job.job_id,
        action="take_turn",
        expected=Expected(status=JobStatus.PENDING, generation=job.generation, place=Place.WAITING),
        values={"due_at": now + RECONCILE_GRACE},
    )
    return moved(change, job, place, turns=turns)


def keep_waiting(job: Job, *, now: datetime) -> Change:
    """Look at a waiting job again later, because none of its owner's turns is free."""
    return Change(
        job_id=job.job_id,
        action="keep_waiting",
        expected=Expected(status=JobStatus.PENDING, generation=job.generation, place=Place.WAITING),
        values={"due_at": now + WAITING_PATIENCE},
    )


def leave_account(job: Job) -> Change:
    """Count an ended job no longer, which an earlier release ended without a move."""
    change = Change(
        job_id=job.job_id,
        action="leave_account",
        expected=Expected(status=job.status, generation=job.generation),
        values={},
    )
    return moved(change, job, None)
