"""The rules of the job's life."""

from __future__ import annotations

from datetime import timedelta
from typing import get_type_hints

import pytest
from video_jobs.adapters.local.memory_jobs import MemoryJobRepository
from video_jobs.domain import changes
from video_jobs.domain.changes import POSTPONED, RECONCILE_GRACE, Change, Expected
from video_jobs.domain.errors import ConflictError
from video_jobs.domain.job import ALLOWED_TRANSITIONS, Job, JobChanges, JobStatus, Lease

from tests.contract.jobs import JOB_ID, KEEP, LEASE, NOW, WHY, make_job

FIXED = {"job_id", "owner", "created_at", "options", "part_frames", "needs", "request_hash"}
"""What a job is given when it is made, and keeps."""


def queued_job() -> Job:
    job = make_job()
    job = changes.accept_upload(job, version="v1", size_bytes=10, now=NOW).apply(job)
    return changes.mark_queued(job, now=NOW).apply(job)


def running_job(worker_id: str = "a") -> Job:
    job = queued_job()
    return changes.claim(job, worker_id=worker_id, lease=LEASE, now=NOW).apply(job)


def holding(job: Job) -> MemoryJobRepository:
    jobs = MemoryJobRepository()
    jobs.save(job)
    return jobs


def test_changes_have_the_names_and_types_of_a_jobs_fields() -> None:
    of_a_job = get_type_hints(Job)
    assert get_type_hints(JobChanges) == {name: of_a_job[name] for name in of_a_job.keys() - FIXED}


@pytest.mark.parametrize("before", list(JobStatus))
@pytest.mark.parametrize("after", list(JobStatus))
def test_a_transition_outside_the_table_cannot_be_made(before: JobStatus, after: JobStatus) -> None:
    def make() -> Change:
        return Change(job_id=JOB_ID, action="t", expected=Expected(status=before), values={"status": after})

    if after == before or after in ALLOWED_TRANSITIONS[before]:
        assert make().apply(make_job(status=before)).status is after
        return
    with pytest.raises(ValueError, match="not allowed"):
        make()


def test_two_workers_that_claim_at_once_do_not_both_get_the_job() -> None:
    # GIVEN a queued job that two workers have read
    job = queued_job()
    jobs = holding(job)
    # WHEN both claim it
    first = jobs.update_status(changes.claim(job, worker_id="a", lease=LEASE, now=NOW))
    with pytest.raises(ConflictError):
        jobs.update_status(changes.claim(job, worker_id="b", lease=LEASE, now=NOW))
    # THEN the first has it
    assert (first.status, first.worker_id, first.attempt) == (JobStatus.RUNNING, "a", 1)


def test_a_worker_that_lost_its_lease_cannot_finish_the_job() -> None:
    # GIVEN a job whose first worker fell silent and whose second took over
    first = running_job("a")
    jobs = holding(first)
    later = NOW + LEASE + timedelta(seconds=1)
    second = jobs.update_status(changes.claim(first, worker_id="b", lease=LEASE, now=later))
    # WHEN the first worker comes back
    with pytest.raises(ConflictError):
        jobs.update_status(changes.fail_running(first, WHY, keep=KEEP, now=later))
    # THEN nothing changed, and the crash was counted
    assert jobs.get_by_id(JOB_ID) == second
    assert second.crashes == 1


@pytest.mark.parametrize(
    "change",
    [
        changes.claim(running_job(), worker_id="b", lease=LEASE, now=NOW),
        changes.take_back(running_job(), now=NOW),
        changes.postpone(running_job(), now=NOW),
        changes.fail_unheld(running_job(), WHY, keep=KEEP, now=NOW),
    ],
    ids=lambda change: change.action,
)
def test_a_live_lease_cannot_be_taken(change: Change) -> None:
    with pytest.raises(ConflictError):
        holding(running_job()).update_status(change)


def test_an_ended_job_is_due_for_nothing_and_holds_no_lease() -> None:
    job = running_job()
    ended = changes.fail_running(job, WHY, keep=KEEP, now=NOW).apply(job)
    assert (ended.due_at, ended.worker_id, ended.lease) == (None, None, None)
    assert (ended.error, ended.expires_at) == (WHY, NOW + KEEP)


def test_giving_back_counts_only_failures() -> None:
    job = running_job()
    returned = changes.give_back(job, count_failure=False, now=NOW).apply(job)
    failed = changes.give_back(job, count_failure=True, now=NOW).apply(job)
    assert (returned.status, returned.failures, failed.failures) == (JobStatus.PENDING, 0, 1)


def test_each_send_is_a_new_generation() -> None:
    job = queued_job()
    again = changes.requeue(job, now=NOW).apply(job)
    assert (job.generation, again.generation, again.queued_at) == (1, 2, None)


def test_a_postponed_job_comes_later_than_one_that_was_only_lost() -> None:
    assert POSTPONED > RECONCILE_GRACE


def test_a_lease_is_live_until_it_ends() -> None:
    job = make_job(lease=Lease("a", NOW + LEASE))
    assert job.is_held(NOW + LEASE - timedelta(microseconds=1))
    assert not job.is_held(NOW + LEASE)


@pytest.mark.parametrize(
    ("status", "progress"), [("pending", 0.0), ("running", 0.5), ("completed", 1.0), ("failed", 1.0)]
)
def test_progress_follows_the_status(status: str, progress: float) -> None:
    assert JobStatus(status).progress == progress
