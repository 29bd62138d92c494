"""One contract for the job repository, over memory and DynamoDB (moto, dynalite)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, fields, is_dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from video_jobs.domain import changes, delivery_changes, fetch_changes
from video_jobs.domain.accounts import Place
from video_jobs.domain.changes import POSTPONED, Change, Expected
from video_jobs.domain.errors import ConflictError
from video_jobs.domain.job import (
    Delivery,
    DeliveryState,
    Job,
    JobChanges,
    JobStatus,
    Lease,
    Progress,
    Source,
    Upload,
    UploadState,
)
from video_jobs.domain.webhooks import WebhookMessage
from video_jobs.ports import JobPosition, JobRepository

from tests.contract.jobs import JOB_ID, KEEP, LEASE, NOW, WHY, full_job, make_job
from tests.contract.test_notify import MESSAGE
from tests.support.option_bodies import option_bodies, options_of

MET_AND_NOT: dict[str, tuple[Any, Any]] = {
    "status": (JobStatus.RUNNING, JobStatus.PENDING),
    "generation": (3, 2),
    "attempt": (2, 1),
    "worker_id": ("a", "b"),
    "lease_free_at": (NOW + LEASE, NOW + LEASE - timedelta(microseconds=1)),
    "upload_state": (UploadState.FETCHING, UploadState.ACCEPTED),
    "multipart_id": ("u", "v"),
    "place": (Place.SENT, Place.WAITING),
    "delivery_not": (frozenset({DeliveryState.DELIVERED}), frozenset({DeliveryState.RETRYING})),
}
"""What may be expected of the full job, and what it does not meet."""


def running(jobs: JobRepository, worker_id: str = "a") -> Job:
    jobs.save(make_job())
    job = jobs.update_status(changes.accept_upload(make_job(), version="v", size_bytes=5, now=NOW))
    return jobs.update_status(changes.claim(job, worker_id=worker_id, lease=LEASE, now=NOW))


def expected_of_full_job(**values: Any) -> Expected:
    return Expected(**({"status": JobStatus.RUNNING} | values))


def touching(expected: Expected) -> Change:
    return Change(job_id=JOB_ID, action="touch", expected=expected, values={"failures": 9})


def has_default(part: Any, spec: Field[Any]) -> bool:
    made = spec.default_factory() if spec.default_factory is not MISSING else spec.default
    return bool(getattr(part, spec.name) == made)


def test_the_full_job_has_no_default_left() -> None:
    job = full_job()
    parts = [part for spec in fields(job) if is_dataclass(part := getattr(job, spec.name))]
    assert [spec.name for part in (job, *parts) for spec in fields(part) if has_default(part, spec)] == []


@pytest.mark.parametrize("make", [make_job, full_job], ids=["a new job", "a full job"])
def test_a_saved_job_is_read_back_as_it_was(jobs: JobRepository, make: Callable[[], Job]) -> None:
    jobs.save(make())
    assert jobs.get_by_id(JOB_ID) == make()
    assert jobs.get_by_id(JOB_ID.replace("1", "2")) is None


def test_those_jobs_are_listed_that_exist(jobs: JobRepository) -> None:
    ids = [f"{number:08x}{JOB_ID[8:]}" for number in range(130)]
    for job_id in ids:
        jobs.save(make_job(job_id))
    assert {job.job_id for job in jobs.list_by_ids([*ids, JOB_ID])} == set(ids)
    assert jobs.list_by_ids([]) == []


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.uuids(), option_bodies())
def test_whatever_a_job_may_choose_is_read_back(
    jobs: JobRepository, job_id: UUID, body: dict[str, Any]
) -> None:
    job = make_job(str(job_id), options=options_of(body))
    jobs.save(job)
    assert jobs.get_by_id(job.job_id) == job
    jobs.delete(job.job_id, Expected(status=JobStatus.PENDING))


def test_a_job_id_is_saved_once(jobs: JobRepository) -> None:
    jobs.save(make_job())
    with pytest.raises(ConflictError):
        jobs.save(make_job(owner="bob"))
    assert jobs.get_by_id(JOB_ID) == make_job()


def test_a_change_needs_a_stored_job(jobs: JobRepository) -> None:
    with pytest.raises(ConflictError):
        jobs.update_status(changes.requeue(make_job(), now=NOW))
    assert jobs.get_by_id(JOB_ID) is None


def test_the_answer_of_a_change_is_the_stored_job(jobs: JobRepository) -> None:
    job = running(jobs)
    assert jobs.get_by_id(JOB_ID) == job
    assert (job.status, job.attempt, job.lease) == (JobStatus.RUNNING, 1, Lease("a", NOW + LEASE))


def test_every_field_that_may_change_can_be_emptied(jobs: JobRepository) -> None:
    # GIVEN a job whose every field holds something
    job = full_job()
    jobs.save(job)
    # WHEN one change takes away all that may be absent
    emptied: JobChanges = {
        "queued_at": None,
        "due_at": None,
        "lease": None,
        "progress": Progress(),
        "output": None,
        "error": None,
        "video": None,
        "warnings": (),
        "fingerprint": None,
        "delivery": None,
        "usage": None,
        "place": None,
        "expires_at": None,
    }
    changed = jobs.update_status(
        Change(job_id=JOB_ID, action="empty", expected=expected_of_full_job(), values=emptied)
    )
    # THEN it is gone, and nothing else is
    assert changed == replace(job, **emptied)
    assert jobs.get_by_id(JOB_ID) == changed


def test_every_expectation_is_in_the_table() -> None:
    assert MET_AND_NOT.keys() == {spec.name for spec in fields(Expected)}


@pytest.mark.parametrize("name", MET_AND_NOT)
def test_a_job_is_changed_and_deleted_only_as_it_was_expected(jobs: JobRepository, name: str) -> None:
    jobs.save(full_job())
    met, unmet = (expected_of_full_job(**{name: value}) for value in MET_AND_NOT[name])
    with pytest.raises(ConflictError):
        jobs.update_status(touching(unmet))
    with pytest.raises(ConflictError):
        jobs.delete(JOB_ID, unmet)
    assert jobs.get_by_id(JOB_ID) == full_job()
    assert jobs.update_status(touching(met)) == replace(full_job(), failures=9)
    for _ in range(2):
        jobs.delete(JOB_ID, met)
    assert jobs.get_by_id(JOB_ID) is None


def test_a_job_without_lease_and_delivery_is_free_of_both(jobs: JobRepository) -> None:
    jobs.save(make_job())
    free = Expected(
        status=JobStatus.PENDING, lease_free_at=NOW, delivery_not=frozenset({DeliveryState.DELIVERED})
    )
    assert jobs.update_status(touching(free)) == make_job(failures=9)


def test_a_job_without_a_lease_is_no_workers(jobs: JobRepository) -> None:
    jobs.save(make_job())
    with pytest.raises(ConflictError):
        jobs.update_status(touching(Expected(status=JobStatus.PENDING, worker_id="a")))


@pytest.mark.parametrize(
    "stale",
    [{"attempt": 7}, {"generation": 7}, {"lease": Lease("b", NOW + LEASE)}],
    ids=lambda change: next(iter(change)),
)
def test_a_worker_without_the_job_changes_nothing(jobs: JobRepository, stale: dict[str, Any]) -> None:
    job = running(jobs)
    with pytest.raises(ConflictError):
        jobs.update_status(changes.fail_running(replace(job, **stale), WHY, keep=KEEP, now=NOW))
    assert jobs.get_by_id(JOB_ID) == job


def test_what_was_read_before_a_job_was_postponed_changes_nothing(jobs: JobRepository) -> None:
    # GIVEN a queued job that several have read, and one worker that leaves it
    jobs.save(make_job(needs=2))
    job = jobs.update_status(changes.accept_upload(make_job(needs=2), version="v", size_bytes=5, now=NOW))
    jobs.update_status(changes.mark_queued(job, now=NOW))
    postponed = jobs.update_status(changes.postpone(job, now=NOW))
    # WHEN the others act on what they have read
    for stale in (
        changes.claim(job, worker_id="b", lease=LEASE, now=NOW),
        changes.postpone(job, now=NOW),
        changes.requeue(job, now=NOW),
        changes.mark_queued(job, now=NOW),
    ):
        with pytest.raises(ConflictError):
            jobs.update_status(stale)
    # THEN it is postponed, and found when it is due
    assert jobs.get_by_id(JOB_ID) == postponed
    assert postponed == replace(job, generation=job.generation + 1, due_at=NOW + POSTPONED)
    assert list(jobs.list_due(NOW + POSTPONED - timedelta(microseconds=1))) == []
    assert list(jobs.list_due(NOW + POSTPONED)) == [postponed]


def test_an_upload_is_accepted_once(jobs: JobRepository) -> None:
    jobs.save(make_job())
    accept = changes.accept_upload(make_job(), version="v", size_bytes=5, now=NOW)
    jobs.update_status(accept)
    with pytest.raises(ConflictError):
        jobs.update_status(accept)


def ended_job_and_message(jobs: JobRepository) -> WebhookMessage:
    jobs.save(make_job(status=JobStatus.FAILED, generation=2))
    return replace(MESSAGE, job_id=JOB_ID)


def delivery(state: DeliveryState, attempts: int = 1) -> Delivery:
    return Delivery(state=state, attempts=attempts, updated_at=NOW)


def test_a_webhook_that_was_delivered_stays_delivered(jobs: JobRepository) -> None:
    message = ended_job_and_message(jobs)
    retrying = delivery(DeliveryState.RETRYING)
    for noted in (retrying, delivery(DeliveryState.FAILED), retrying, delivery(DeliveryState.DELIVERED)):
        assert jobs.update_status(delivery_changes.record_delivery(message, noted)).delivery == noted
    for late in (message, replace(message, generation=1)):
        with pytest.raises(ConflictError):
            jobs.update_status(delivery_changes.record_delivery(late, retrying))
        with pytest.raises(ConflictError):
            jobs.update_status(delivery_changes.give_up_delivery(late, delivery(DeliveryState.FAILED)))
    job = jobs.get_by_id(JOB_ID)
    assert job is not None
    assert job.delivery == noted


def test_a_webhook_is_given_up_once(jobs: JobRepository) -> None:
    message = ended_job_and_message(jobs)
    first = delivery(DeliveryState.FAILED, attempts=8)
    assert jobs.update_status(delivery_changes.give_up_delivery(message, first)).delivery == first
    with pytest.raises(ConflictError):
        jobs.update_status(
            delivery_changes.give_up_delivery(message, delivery(DeliveryState.FAILED, attempts=9))
        )


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


def test_a_function_that_lost_a_fetch_changes_nothing(jobs: JobRepository) -> None:
    # GIVEN a fetch that a function held until its lease ended, and that another one holds now
    source = Source(url="https://source.example/")
    upload = Upload(key="k", state=UploadState.FETCHING, multipart_id="u", source=source)
    jobs.save(make_job(upload=upload))
    later = NOW + LEASE
    first = jobs.update_status(
        fetch_changes.claim_fetch(make_job(upload=upload), fetcher_id="a", lease=LEASE, now=NOW)
    )
    with pytest.raises(ConflictError):
        jobs.update_status(fetch_changes.claim_fetch(first, fetcher_id="b", lease=LEASE, now=NOW))
    second = jobs.update_status(fetch_changes.claim_fetch(first, fetcher_id="b", lease=LEASE, now=later))
    # WHEN the first one goes on THEN none of its changes is made
    for change in (
        fetch_changes.keep_fetch(first, source=source, multipart_id="v", lease=LEASE, now=later),
        fetch_changes.pause_fetch(first, source=source, delay=LEASE, now=later),
        fetch_changes.fail_fetch(first, WHY, keep=KEEP, now=later),
        fetch_changes.resend_fetch(first, now=later),
    ):
        with pytest.raises(ConflictError):
            jobs.update_status(change)
    assert jobs.get_by_id(JOB_ID) == second
    # AND a fetch that is held does not count as an accepted job
    with pytest.raises(ConflictError):
        jobs.update_status(changes.claim(second, worker_id="w", lease=LEASE, now=later + LEASE))
