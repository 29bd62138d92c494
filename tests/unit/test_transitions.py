"""The rules of the job's life."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from video_jobs.adapters.memory import MemoryJobRepository
from video_jobs.domain import transitions
from video_jobs.domain.errors import ConflictError
from video_jobs.domain.job import ALLOWED_TRANSITIONS, Job, JobStatus, UploadState
from video_jobs.domain.transitions import Expected, Transition

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LEASE = timedelta(seconds=60)
KEEP = timedelta(days=30)
JOB_ID = "11111111-1111-4111-8111-111111111111"


def make_job(**changes: Any) -> Job:
    values: dict[str, Any] = {
        "job_id": JOB_ID,
        "owner": "ann",
        "created_at": NOW,
        "updated_at": NOW,
        "input_path": f"video_jobs/{JOB_ID}.mp4",
    }
    return Job(**(values | changes))


def queued_job() -> Job:
    job = make_job()
    job = transitions.accept_upload(job, version="v1", size_bytes=10, now=NOW).apply(job)
    return transitions.mark_queued(job, now=NOW).apply(job)


@pytest.mark.parametrize("before", list(JobStatus))
@pytest.mark.parametrize("after", list(JobStatus))
def test_a_transition_outside_the_table_cannot_be_made(before: JobStatus, after: JobStatus) -> None:
    if after == before or after in ALLOWED_TRANSITIONS[before]:
        Transition(action="t", expected=Expected(status=before), changes={"status": after})
        return
    with pytest.raises(ValueError, match="not allowed"):
        Transition(action="t", expected=Expected(status=before), changes={"status": after})


def test_two_workers_that_claim_at_once_do_not_both_get_the_job() -> None:
    # GIVEN a queued job that two workers have read
    jobs = MemoryJobRepository()
    job = queued_job()
    jobs.save(job)
    # WHEN both claim it
    first = jobs.update_status(JOB_ID, transitions.claim(job, worker_id="a", lease=LEASE, now=NOW))
    with pytest.raises(ConflictError):
        jobs.update_status(JOB_ID, transitions.claim(job, worker_id="b", lease=LEASE, now=NOW))
    # THEN the first has it
    assert (first.status, first.lease_owner, first.attempt) == (JobStatus.RUNNING, "a", 1)


def test_a_worker_that_lost_its_lease_cannot_finish_the_job() -> None:
    # GIVEN a job whose first worker fell silent and whose second took over
    jobs = MemoryJobRepository()
    job = queued_job()
    jobs.save(job)
    first = jobs.update_status(JOB_ID, transitions.claim(job, worker_id="a", lease=LEASE, now=NOW))
    later = NOW + LEASE + timedelta(seconds=1)
    second = jobs.update_status(JOB_ID, transitions.claim(first, worker_id="b", lease=LEASE, now=later))
    # WHEN the first worker comes back
    with pytest.raises(ConflictError):
        jobs.update_status(
            JOB_ID, transitions.fail_running(first, code="x", message="x", keep=KEEP, now=later)
        )
    # THEN nothing changed, and the crash was counted
    assert jobs.get_by_id(JOB_ID) == second
    assert second.crashes == 1


def test_a_live_lease_cannot_be_taken() -> None:
    jobs = MemoryJobRepository()
    job = queued_job()
    jobs.save(job)
    running = jobs.update_status(JOB_ID, transitions.claim(job, worker_id="a", lease=LEASE, now=NOW))
    with pytest.raises(ConflictError):
        jobs.update_status(JOB_ID, transitions.claim(running, worker_id="b", lease=LEASE, now=NOW))
    with pytest.raises(ConflictError):
        jobs.update_status(JOB_ID, transitions.take_back(running, now=NOW))


def test_an_ended_job_is_due_for_nothing_and_holds_no_lease() -> None:
    job = queued_job()
    job = transitions.claim(job, worker_id="a", lease=LEASE, now=NOW).apply(job)
    ended = transitions.fail_running(job, code="x", message="why", keep=KEEP, now=NOW).apply(job)
    assert (ended.due_at, ended.lease_owner, ended.lease_expires_at) == (None, None, None)
    assert (ended.error_code, ended.error_message, ended.expires_at) == ("x", "why", NOW + KEEP)


def test_giving_back_counts_only_failures() -> None:
    job = queued_job()
    job = transitions.claim(job, worker_id="a", lease=LEASE, now=NOW).apply(job)
    returned = transitions.give_back(job, count_failure=False, now=NOW).apply(job)
    failed = transitions.give_back(job, count_failure=True, now=NOW).apply(job)
    assert (returned.status, returned.failures, failed.failures) == (JobStatus.PENDING, 0, 1)


def test_each_send_is_a_new_generation() -> None:
    job = queued_job()
    again = transitions.requeue(job, now=NOW).apply(job)
    assert (job.generation, again.generation, again.queued_at) == (1, 2, None)


@pytest.mark.parametrize(
    ("status", "progress"), [("pending", 0.0), ("running", 0.5), ("completed", 1.0), ("failed", 1.0)]
)
def test_progress_follows_the_status(status: str, progress: float) -> None:
    job = make_job(status=JobStatus(status), upload_state=UploadState.ACCEPTED)
    assert job.progress == progress
