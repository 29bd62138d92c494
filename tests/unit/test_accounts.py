"""Quotas, accounts that are wrong, and jobs that no account counts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from video_jobs.account_ports import AccountEntry
from video_jobs.domain import changes
from video_jobs.domain.accounts import Account, Place, Quotas
from video_jobs.domain.changes import RECONCILE_GRACE
from video_jobs.domain.errors import JobStateError, QuotaError
from video_jobs.domain.job import JobStatus
from video_jobs.domain.keys import video_key
from video_jobs.domain.turns import WAITING_PATIENCE
from video_jobs.use_cases.intake import Submission
from video_jobs.use_cases.recount import RECOUNT_EVERY

from tests.support.turn_service import MP4, TurnService


@pytest.fixture
def service() -> TurnService:
    return TurnService()


SENT = Place.SENT


# --- quotas ------------------------------------------------------------------------------------------


def test_each_way_of_submitting_has_the_same_quotas(tmp_path: Any) -> None:
    service = TurnService(quotas=Quotas(open_jobs=1), max_body_bytes=1000)
    job = service.submit(key="k")
    video = tmp_path / "video"
    video.write_bytes(MP4)
    intake, by_ann = service.app.intake, Submission(owner="ann")
    for submit in (
        lambda: intake.submit_video(video, by_ann),
        lambda: intake.submit_form(10, by_ann),
        lambda: intake.submit_multipart(10, by_ann),
        lambda: intake.submit_source("https://source.example/v", by_ann),
    ):
        with pytest.raises(QuotaError):
            submit()
    # AND nothing is left of them, and a known key is no new job
    assert service.ports.uploads._uploads == {}  # type: ignore[attr-defined]
    assert service.submit(key="k").job_id == job.job_id
    assert service.accounts.read("ann").open_jobs == 1
    # AND another owner has his own
    assert service.submit("bob").owner == "bob"


def test_an_upload_that_expired_or_was_refused_frees_its_place() -> None:
    service = TurnService(quotas=Quotas(uploads_awaited=2, bytes_awaited=300))
    expired, refused = (service.submit(size_bytes=150) for _ in range(2))
    with pytest.raises(QuotaError):
        service.submit(size_bytes=0)
    service.upload(refused, b"no video")
    service.clock.advance(3 * 3600)
    service.app.upkeep.reconcile()
    assert [service.now(job).status for job in (expired, refused)] == [JobStatus.FAILED] * 2
    account = service.accounts.read("ann")
    assert (account.open_jobs, account.uploads_awaited, account.bytes_awaited) == (0, 0, 0)


def test_a_retry_needs_a_place_too_and_a_job_is_retried_only_so_often() -> None:
    service = TurnService(quotas=Quotas(open_jobs=1), max_retries=2)
    job = service.accept()
    service.app.owner.cancel(job)
    other = service.submit()
    with pytest.raises(QuotaError):
        service.app.owner.retry(service.now(job))
    service.app.owner.cancel(service.now(other))
    for _ in range(2):
        service.app.owner.cancel(service.app.owner.retry(service.now(job)))
    with pytest.raises(JobStateError, match="retried 2 times"):
        service.app.owner.retry(service.now(job))


# --- accounts that are wrong --------------------------------------------------------------------------


def test_turns_that_the_release_before_took_along_are_found_again_and_again(service: TurnService) -> None:
    jobs = [service.accept() for _ in range(6)]
    for done in range(0, 4, 2):
        # GIVEN two sent jobs that the release before ended, and others that wait
        for job in jobs[done : done + 2]:
            service.end_as_the_release_before(job)
        assert service.accounts.read("ann").sent == 2
        # WHEN reconcile looks at those that wait
        service.clock.advance(WAITING_PATIENCE.seconds)
        service.app.upkeep.reconcile()
        # THEN they are sent
        assert service.places(jobs[done + 2 : done + 4]) == [SENT, SENT]
    account = service.accounts.read("ann")
    assert (account.open_jobs, account.sent) == (2, 2)


def test_turns_that_nobody_has_are_found(service: TurnService) -> None:
    # GIVEN sent jobs whose items were deleted by hand
    first, second, waiting = (service.accept() for _ in range(3))
    for job in (first, second):
        service.ports.jobs.delete(job.job_id, changes.Expected(status=JobStatus.PENDING))
    service.clock.advance(RECONCILE_GRACE.seconds)
    service.app.upkeep.reconcile()
    assert service.now(waiting).place is SENT
    account = service.accounts.read("ann")
    assert (account.open_jobs, account.sent) == (1, 1)


def test_a_waiting_job_that_the_release_before_ended_does_not_stand_before_others(
    service: TurnService,
) -> None:
    first, _, ended, waiting = (service.accept() for _ in range(4))
    service.end_as_the_release_before(ended)
    service.app.owner.cancel(first)
    assert service.places([ended, waiting]) == [None, SENT]


def test_a_waiting_job_that_is_gone_does_not_stand_before_others(service: TurnService) -> None:
    first, _, gone, waiting = (service.accept() for _ in range(4))
    service.ports.jobs.delete(gone.job_id, changes.Expected(status=JobStatus.PENDING))
    service.app.owner.cancel(first)
    assert service.now(waiting).place is SENT


def test_the_account_of_who_was_refused_is_recounted() -> None:
    # GIVEN an owner who is refused because of a job that no longer exists
    service = TurnService(quotas=Quotas(open_jobs=2))
    gone, there = (service.submit() for _ in range(2))
    service.ports.jobs.delete(gone.job_id, changes.Expected(status=JobStatus.PENDING))
    with pytest.raises(QuotaError):
        service.submit()
    # WHEN reconcile runs
    assert service.app.upkeep.reconcile() == {"account_recounted": 1}
    # THEN he may have another one
    service.submit()
    assert service.accounts.list_doubted() == []
    account = service.accounts.read("ann")
    assert (account.open_jobs, account.uploads_awaited, account.bytes_awaited) == (2, 2, 200)
    assert there.job_id in {entry.job_id for entry in service.accounts.list_open("ann")}


def test_an_account_is_not_recounted_again_at_once() -> None:
    service = TurnService(quotas=Quotas(open_jobs=1))
    service.submit()

    def recounted_at() -> Any:
        with pytest.raises(QuotaError):
            service.submit()
        service.app.upkeep.reconcile()
        return service.accounts.read("ann").recounted_at

    first = recounted_at()
    assert recounted_at() == first
    service.clock.advance(RECOUNT_EVERY.seconds)
    assert recounted_at() > first


def test_an_account_that_changes_meanwhile_is_counted_at_the_next_run(service: TurnService) -> None:
    # GIVEN a doubted account, and a submit while it is counted
    service.submit()
    service.accounts.doubt("ann")
    list_open = service.accounts.list_open

    def submit_meanwhile(owner: str) -> list[AccountEntry]:
        found = list_open(owner)
        service.submit(owner)
        return found

    service.accounts.list_open = submit_meanwhile  # type: ignore[method-assign]
    service.app.upkeep.reconcile()
    # THEN the submit is not lost
    assert service.accounts.read("ann").open_jobs == 2
    assert service.accounts.list_doubted() == ["ann"]


# --- the release before ------------------------------------------------------------------------------


def test_jobs_of_the_release_before_go_on_and_count_from_their_next_move(service: TurnService) -> None:
    # GIVEN an awaited upload and a queued job, as the release before saved them
    ids = (f"{digit}1111111-1111-4111-8111-111111111111" for digit in "12")
    awaited, queued = (replace(service.submit(), job_id=job_id, place=None) for job_id in ids)
    for job in (awaited, queued):
        service.ports.jobs.save(job)
    accept = changes.accept_upload(queued, version=None, size_bytes=9, now=service.clock.now())
    queued = service.ports.jobs.update_status(accept)
    service.ports.queue.enqueue(queued.job_id, queued.generation)
    before = service.accounts.read("ann")
    # WHEN a worker completes the one, and the other one's video arrives
    running = service.work()
    assert running is not None
    service.complete(running)
    assert service.accounts.read("ann") == before
    service.upload(replace(awaited, upload=replace(awaited.upload, key=video_key(awaited.job_id))))
    # THEN it has a turn
    assert service.now(awaited).place is SENT
    assert service.accounts.read("ann").sent == 1


def test_a_release_without_turns_sends_what_waits(service: TurnService) -> None:
    """A rollback: reconcile of the release before sends each due job that has its video and no message."""
    *_, waiting = (service.accept() for _ in range(3))
    service.clock.advance(RECONCILE_GRACE.seconds)
    now = service.clock.now()
    due = [job for job in service.ports.jobs.list_due(now) if job.job_id == waiting.job_id]
    assert [(job.status, job.awaits_upload, job.queued_at) for job in due] == [
        (JobStatus.PENDING, False, None)
    ]
    # WHEN it does so, and this release comes back
    sent = service.ports.jobs.update_status(changes.requeue(waiting, now=now))
    service.ports.queue.enqueue(sent.job_id, sent.generation)
    for _ in range(3):
        running = service.work()
        assert running is not None
        service.complete(running)
    # THEN the job has ended, and the account is empty
    assert service.now(waiting).status is JobStatus.COMPLETED
    account = service.accounts.read("ann")
    assert replace(account, version=0) == Account()
    assert service.accounts.oldest_waiting("ann") is None
