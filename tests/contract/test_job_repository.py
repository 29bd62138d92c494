"""One contract for the job repository, over memory and DynamoDB (moto, dynalite)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from video_jobs.adapters.dynamodb import DynamoDbJobRepository, job_item_model
from video_jobs.adapters.memory import MemoryJobRepository
from video_jobs.domain import transitions
from video_jobs.domain.errors import ConflictError
from video_jobs.domain.job import Job, JobStatus
from video_jobs.domain.webhooks import WebhookMessage
from video_jobs.ports import JobPosition, JobRepository

NOW = datetime(2026, 1, 1, 12, 30, 15, 123456, tzinfo=UTC)
LEASE = timedelta(seconds=60)
JOB_ID = "11111111-1111-4111-8111-111111111111"
KEEP = timedelta(days=30)


def make_job(job_id: str = JOB_ID, **changes: Any) -> Job:
    job = Job(
        job_id=job_id, owner="ann", created_at=NOW, updated_at=NOW, input_path=f"video_jobs/{job_id}.mp4"
    )
    return replace(job, **changes)


@pytest.fixture(params=["memory", "moto", "dynalite"])
def jobs(request: pytest.FixtureRequest) -> JobRepository:
    if request.param == "memory":
        return MemoryJobRepository()
    return DynamoDbJobRepository(request.getfixturevalue(f"{request.param}_table"), "us-east-1")


def running(jobs: JobRepository, worker: str = "a") -> Job:
    jobs.save(make_job())
    accept = transitions.accept_upload(make_job(), version="v", size_bytes=5, now=NOW)
    job = jobs.update_status(JOB_ID, accept)
    return jobs.update_status(JOB_ID, transitions.claim(job, worker_id=worker, lease=LEASE, now=NOW))


def test_a_saved_job_is_read_back_as_it_was(jobs: JobRepository) -> None:
    job = make_job(warnings=("short",), fingerprint={"model": "m"}, max_frames=3, due_at=NOW)
    jobs.save(job)
    assert jobs.get_by_id(JOB_ID) == job
    assert jobs.get_by_id(JOB_ID.replace("1", "2")) is None


def test_a_job_id_is_saved_once(jobs: JobRepository) -> None:
    jobs.save(make_job())
    with pytest.raises(ConflictError):
        jobs.save(make_job(owner="bob"))
    assert jobs.get_by_id(JOB_ID) == make_job()


def test_a_change_needs_a_stored_job(jobs: JobRepository) -> None:
    with pytest.raises(ConflictError):
        jobs.update_status(JOB_ID, transitions.requeue(make_job(), now=NOW))
    assert jobs.get_by_id(JOB_ID) is None


def test_the_answer_of_a_change_is_the_stored_job(jobs: JobRepository) -> None:
    job = running(jobs)
    assert jobs.get_by_id(JOB_ID) == job
    assert (job.status, job.attempt, job.lease_expires_at) == (JobStatus.RUNNING, 1, NOW + LEASE)


@pytest.mark.parametrize(
    "stale", [{"attempt": 7}, {"generation": 7}, {"lease_owner": "b"}], ids=lambda change: next(iter(change))
)
def test_a_worker_that_does_not_hold_the_job_changes_nothing(
    jobs: JobRepository, stale: dict[str, Any]
) -> None:
    job = running(jobs)
    with pytest.raises(ConflictError):
        jobs.update_status(
            JOB_ID, transitions.fail_running(replace(job, **stale), code="x", message="x", keep=KEEP, now=NOW)
        )
    assert jobs.get_by_id(JOB_ID) == job


def test_a_lease_is_taken_only_when_it_has_ended(jobs: JobRepository) -> None:
    job = running(jobs)
    with pytest.raises(ConflictError):
        jobs.update_status(JOB_ID, transitions.claim(job, worker_id="b", lease=LEASE, now=NOW))
    later = NOW + LEASE
    taken = jobs.update_status(JOB_ID, transitions.claim(job, worker_id="b", lease=LEASE, now=later))
    assert (taken.lease_owner, taken.attempt, taken.crashes) == ("b", 2, 1)


def test_an_upload_is_accepted_once(jobs: JobRepository) -> None:
    jobs.save(make_job())
    accept = transitions.accept_upload(make_job(), version="v", size_bytes=5, now=NOW)
    jobs.update_status(JOB_ID, accept)
    with pytest.raises(ConflictError):
        jobs.update_status(JOB_ID, accept)


def test_a_webhook_that_was_delivered_stays_delivered(jobs: JobRepository) -> None:
    jobs.save(make_job(status=JobStatus.FAILED, generation=2))
    end = {"job_id": JOB_ID, "owner": "ann", "status": "failed", "generation": 2}
    message = WebhookMessage(**end, callback_url="https://r.example", event_id="e", body="{}")  # type: ignore[arg-type]
    for state in ("retrying", "retrying", "delivered"):
        noted = jobs.update_status(JOB_ID, transitions.record_webhook(message, webhook={"state": state}))
        assert noted.webhook == {"state": state}
    for late in (message, replace(message, generation=1)):
        with pytest.raises(ConflictError):
            jobs.update_status(JOB_ID, transitions.record_webhook(late, webhook={"state": "retrying"}))
    assert jobs.get_by_id(JOB_ID) == noted


def test_due_jobs_come_soonest_first_and_ended_ones_never(jobs: JobRepository) -> None:
    ids = [f"{digit}1111111-1111-4111-8111-111111111111" for digit in "0123"]
    for minutes, job_id in enumerate(reversed(ids)):
        jobs.save(make_job(job_id, due_at=NOW + timedelta(minutes=minutes)))
    ended = make_job(ids[3], due_at=NOW)
    jobs.update_status(ids[3], transitions.fail_unheld(ended, code="x", message="x", keep=KEEP, now=NOW))
    due = jobs.list_due(NOW + timedelta(minutes=2), limit=10)
    assert [job.job_id for job in due] == [ids[2], ids[1]]


def test_an_owners_jobs_come_newest_first(jobs: JobRepository) -> None:
    for minutes, digit in enumerate("abc"):
        job_id = f"{digit}1111111-1111-4111-8111-111111111111"
        jobs.save(make_job(job_id, created_at=NOW + timedelta(minutes=minutes)))
    jobs.save(make_job(JOB_ID, owner="bob"))
    assert [job.job_id[0] for job in jobs.list_by_owner("ann", limit=2)] == ["c", "b"]


def test_an_owners_jobs_go_on_after_a_position(jobs: JobRepository) -> None:
    ids = [f"{digit}1111111-1111-4111-8111-111111111111" for digit in "abcd"]
    for number, job_id in enumerate(ids):
        jobs.save(make_job(job_id, created_at=NOW + timedelta(minutes=number // 2)))
    seen: list[str] = []
    after = None
    while page := jobs.list_by_owner("ann", 1, after):
        seen.append(page[0].job_id)
        after = JobPosition(page[0].created_at, page[0].job_id)
    assert sorted(seen) == ids
    assert set(seen[:2]) == set(ids[2:])


def test_a_deleted_job_is_gone_and_one_that_changed_stays(jobs: JobRepository) -> None:
    job = running(jobs)
    with pytest.raises(ConflictError):
        jobs.delete(JOB_ID, transitions.Expected(status=JobStatus.FAILED))
    assert jobs.get_by_id(JOB_ID) == job
    for _ in range(2):
        jobs.delete(JOB_ID, transitions.Expected(status=JobStatus.RUNNING))
    assert jobs.get_by_id(JOB_ID) is None


@pytest.mark.parametrize("backend", ["moto", "dynalite"])
def test_an_ended_job_leaves_the_due_work_index_of_the_table(
    backend: str, request: pytest.FixtureRequest
) -> None:
    table_name = request.getfixturevalue(f"{backend}_table")
    model = job_item_model(table_name, "us-east-1")
    repository = DynamoDbJobRepository(table_name, "us-east-1")
    job = make_job(due_at=NOW)
    repository.save(job)
    assert model.get(JOB_ID).due_shard is not None
    change = transitions.fail_unheld(job, code="x", message="x", keep=KEEP, now=NOW)
    repository.update_status(JOB_ID, change)
    left = model.get(JOB_ID).to_simple_dict()
    assert not {"due_shard", "due_at"} & left.keys()
