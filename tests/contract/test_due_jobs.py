"""Which jobs are due, and in what order, over memory and DynamoDB (moto, dynalite)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from video_jobs.adapters.aws.dynamodb import DynamoDbJobRepository
from video_jobs.adapters.aws.job_item import JobItem, job_item_model
from video_jobs.domain import changes
from video_jobs.domain.changes import POSTPONED
from video_jobs.domain.job import JobStatus, Lease, UploadState
from video_jobs.ports import JobRepository

from tests.contract.conftest import MOTO
from tests.contract.jobs import JOB_ID, KEEP, LEASE, NOW, WHY, full_job, make_job


def test_due_jobs_come_soonest_first_and_ended_ones_never(jobs: JobRepository) -> None:
    ids = [f"{digit}1111111-1111-4111-8111-111111111111" for digit in "0123"]
    for minutes, job_id in enumerate(reversed(ids)):
        jobs.save(make_job(job_id, due_at=NOW + timedelta(minutes=minutes)))
    ended = make_job(ids[3], due_at=NOW)
    jobs.update_status(changes.fail_unheld(ended, WHY, keep=KEEP, now=NOW))
    due = jobs.list_due(NOW + timedelta(minutes=2))
    assert [job.job_id for job in due] == [ids[2], ids[1]]


def test_due_jobs_with_a_video_come_before_fetches_and_those_before_awaited_uploads(
    jobs: JobRepository,
) -> None:
    # GIVEN due jobs in all shards; the longer a job is due, the later is its kind's turn
    accepted = replace(full_job().upload, state=UploadState.ACCEPTED, source=None)
    kinds: list[dict[str, Any]] = [
        {"status": JobStatus.RUNNING, "upload": accepted, "lease": Lease("a", NOW)},
        {"upload": accepted},
        {"upload": full_job().upload},
        {"upload": make_job().upload},
    ]
    saved = []
    for number, values in enumerate(kinds):
        for digit in "0123":
            due_at = NOW - timedelta(hours=number, minutes=-int(digit))
            job = make_job(f"{digit}{number}{JOB_ID[2:]}", due_at=due_at, **values)
            jobs.save(job)
            saved.append(job)
    # THEN the kinds come in their order, and within a kind what is due first
    with_video = sorted(saved[:8], key=lambda job: job.due_at or NOW)
    assert list(jobs.list_due(NOW + timedelta(hours=1))) == with_video + saved[8:]


def test_a_job_has_another_turn_when_its_video_arrives(jobs: JobRepository) -> None:
    # GIVEN two awaited uploads, of which one may come later than it was to
    awaited, arriving = (make_job(f"{digit}{JOB_ID[1:]}", due_at=NOW) for digit in "48")
    jobs.save(awaited)
    jobs.save(arriving)
    jobs.update_status(changes.expect_upload(arriving, until=NOW + LEASE, now=NOW))
    assert [job.job_id for job in jobs.list_due(NOW + LEASE)] == [awaited.job_id, arriving.job_id]
    # WHEN its video arrives THEN it comes first, although it is due last
    later = NOW + POSTPONED
    jobs.update_status(changes.accept_upload(arriving, version="v", size_bytes=5, now=later))
    assert [job.job_id for job in jobs.list_due(later + POSTPONED)] == [arriving.job_id, awaited.job_id]


def test_due_jobs_are_all_found_although_they_end_meanwhile(jobs: JobRepository) -> None:
    # GIVEN more awaited uploads than a page has
    for number in range(140):
        jobs.save(
            make_job(f"{number % 4}{number:07d}{JOB_ID[8:]}", due_at=NOW + timedelta(milliseconds=number))
        )
    due = jobs.list_due(NOW + LEASE)
    # WHEN each one ends before the next one is asked for
    seen = []
    for job in due:
        seen.append(int(job.job_id[1:8]))
        jobs.update_status(changes.fail_unheld(job, WHY, keep=KEEP, now=NOW + LEASE))
    # THEN every one comes once
    assert seen == list(range(140))
    assert list(jobs.list_due(NOW + LEASE)) == []


def test_accepted_jobs_are_found_in_a_window_of_due_times(jobs: JobRepository) -> None:
    # GIVEN accepted jobs that are due at the minutes 0 to 4, in all shards, and two without a video
    upload = replace(full_job().upload, state=UploadState.ACCEPTED, source=None)
    for minute in (3, 0, 4, 1, 2):
        due_at = NOW + minute * LEASE
        jobs.save(replace(full_job(), job_id=f"{minute}{JOB_ID[1:]}", upload=upload, due_at=due_at))
    jobs.save(make_job(f"a{JOB_ID[1:]}", due_at=NOW + 2 * LEASE))
    jobs.save(make_job(f"b{JOB_ID[1:]}", due_at=NOW + 2 * LEASE, upload=full_job().upload))
    # THEN the window begins behind its start and contains its end
    found = jobs.list_accepted(NOW + LEASE, NOW + 3 * LEASE, 10)
    assert [job.job_id[0] for job in found] == ["2", "3"]
    # AND the earliest come first
    assert [job.job_id[0] for job in jobs.list_accepted(NOW, NOW + 9 * LEASE, 2)] == ["1", "2"]


class StoredJobs(NamedTuple):
    """The jobs of a table, and its items as they are stored."""

    repository: DynamoDbJobRepository
    model: type[JobItem]


@pytest.fixture(params=[MOTO, "dynalite"])
def stored(request: pytest.FixtureRequest) -> StoredJobs:
    table_name = request.getfixturevalue(f"{request.param}_table")
    region = "us-east-1"
    return StoredJobs(DynamoDbJobRepository(table_name, region), job_item_model(table_name, region))


def test_an_ended_job_leaves_the_due_work_index(stored: StoredJobs) -> None:
    repository, model = stored
    job = make_job(due_at=NOW)
    repository.save(job)
    assert model.get(JOB_ID).due_shard is not None
    repository.update_status(changes.fail_unheld(job, WHY, keep=KEEP, now=NOW))
    left = model.get(JOB_ID).to_simple_dict()
    assert not {"due_shard", "due_at"} & left.keys()


def test_the_uploads_that_the_release_before_awaited_are_found(stored: StoredJobs) -> None:
    # GIVEN an awaited upload where version 0.1.0 wrote it, one of this release, and a lost message
    repository, model = stored
    old, new, lost = (make_job(f"{digit}{JOB_ID[1:]}", due_at=NOW) for digit in "048")
    accepted = replace(full_job().upload, state=UploadState.ACCEPTED, source=None)
    for job in (old, new, replace(lost, upload=accepted, due_at=NOW + LEASE)):
        repository.save(job)
    model(old.job_id).update(actions=[model.due_shard.set(0)])
    # THEN all are found, the lost message first
    found = [job.job_id for job in repository.list_due(NOW + LEASE)]
    assert found == [lost.job_id, old.job_id, new.job_id]


def test_an_awaited_upload_is_not_among_the_jobs_that_have_their_video(stored: StoredJobs) -> None:
    repository, model = stored
    awaited = make_job(due_at=NOW)
    repository.save(awaited)
    assert model.get(JOB_ID).due_shard == 5
    repository.update_status(changes.expect_upload(awaited, until=NOW + LEASE, now=NOW))
    assert model.get(JOB_ID).due_shard == 5
    repository.update_status(changes.accept_upload(awaited, version="v", size_bytes=5, now=NOW))
    assert model.get(JOB_ID).due_shard == 1
