"""One contract for jobs that move in their owner's account, over memory and DynamoDB (moto)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from video_jobs.account_ports import AccountRepository
from video_jobs.adapters.aws.account_item import AccountItem, DynamoDbAccountRepository
from video_jobs.adapters.aws.dynamodb import DynamoDbJobRepository
from video_jobs.adapters.aws.state_item import bound_model
from video_jobs.adapters.local.memory_accounts import MemoryAccounts
from video_jobs.adapters.local.memory_jobs import MemoryJobRepository
from video_jobs.domain import changes
from video_jobs.domain.accounts import Account, Move, Place, Quotas, TurnError
from video_jobs.domain.errors import ConflictError, QuotaError
from video_jobs.domain.job import Job, Upload
from video_jobs.domain.turns import keep_waiting, leave_account, move_of, moved, take_turn
from video_jobs.ports import JobRepository

from tests.contract.conftest import MOTO
from tests.contract.jobs import JOB_ID, KEEP, NOW, WHY, make_job

REGION = "us-east-1"
QUOTAS = Quotas(open_jobs=3, uploads_awaited=2, bytes_awaited=25, submits_a_minute=4)


@dataclass(frozen=True)
class Service:
    """Jobs with their owners' accounts."""

    jobs: JobRepository
    accounts: AccountRepository

    def submit(self, job: Job, quotas: Quotas | None = None) -> Job:
        entry = move_of(replace(job, place=None), job.place)
        self.jobs.save(job, replace(entry, quotas=quotas, submitted_at=job.created_at))
        return job

    def accept(self, job: Job, place: Place, turns: int | None = 1) -> Job:
        accepted = changes.accept_upload(job, version="v", size_bytes=5, now=NOW)
        return self.jobs.update_status(moved(accepted, job, place, turns=turns))

    def end(self, job: Job) -> Job:
        failed = changes.fail_unheld(job, WHY, keep=KEEP, now=NOW)
        return self.jobs.update_status(moved(failed, job, None))

    def listed(self) -> list[str]:
        return [entry.job_id for entry in self.accounts.list_open("ann")]

    def oldest(self) -> str | None:
        entry = self.accounts.oldest_waiting("ann")
        return None if entry is None else entry.job_id

    @property
    def counts(self) -> tuple[int, int, int, int]:
        account = self.accounts.read("ann")
        return account.open_jobs, account.uploads_awaited, account.bytes_awaited, account.sent


@pytest.fixture(params=["memory", MOTO, "dynalite"])
def service(request: pytest.FixtureRequest) -> Service:
    if request.param == "memory":
        accounts = MemoryAccounts()
        return Service(MemoryJobRepository(accounts), accounts)
    if request.param == "dynalite":
        pytest.skip("dynalite has no TransactWriteItems")
    table = request.getfixturevalue("moto_table")
    bound_model(AccountItem, "state", REGION).create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    jobs = DynamoDbJobRepository(table, REGION, "state")
    return Service(jobs, DynamoDbAccountRepository("state", REGION))


def awaited(number: int, size_bytes: int = 10) -> Job:
    """A new job whose video its owner is to upload; the numbers tell the order."""
    job_id = f"{number:08x}{JOB_ID[8:]}"
    upload = Upload(key="k", announced_bytes=size_bytes)
    created_at = NOW + timedelta(seconds=number)
    return make_job(job_id, created_at=created_at, upload=upload, place=Place.AWAITING)


def test_an_owner_without_jobs_has_an_empty_account(service: Service) -> None:
    assert service.accounts.read("ann") == Account()
    assert (service.listed(), service.oldest(), service.accounts.list_sent("ann")) == ([], None, [])


def test_an_account_counts_a_job_from_its_submit_to_its_end(service: Service) -> None:
    job = service.submit(awaited(1), QUOTAS)
    assert service.jobs.get_by_id(job.job_id) == job
    assert (service.counts, service.listed()) == ((1, 1, 10, 0), [job.job_id])
    sent = service.accept(job, Place.SENT)
    assert sent == service.jobs.get_by_id(job.job_id)
    assert (sent.place, service.counts, service.listed()) == (Place.SENT, (1, 0, 0, 1), [job.job_id])
    assert [entry.job_id for entry in service.accounts.list_sent("ann")] == [job.job_id]
    ended = service.end(sent)
    assert (ended.place, service.counts, service.listed()) == (None, (0, 0, 0, 0), [])
    assert service.accounts.list_sent("ann") == []
    assert service.accounts.read("bob") == Account()


def test_without_a_free_turn_a_job_waits_and_with_one_it_is_sent(service: Service) -> None:
    # GIVEN one turn
    first, second, third = (service.submit(awaited(number)) for number in (1, 2, 3))
    # THEN nobody waits while it is free, and nobody is sent while it is taken
    with pytest.raises(TurnError):
        service.accept(first, Place.WAITING)
    first = service.accept(first, Place.SENT)
    with pytest.raises(TurnError):
        service.accept(second, Place.SENT)
    assert service.jobs.get_by_id(second.job_id) == second
    third, second = (service.accept(job, Place.WAITING) for job in (third, second))
    assert (second.waits, service.counts) == (True, (3, 0, 0, 1))
    # AND the oldest one has its turn when the first one has ended
    assert service.oldest() == second.job_id
    with pytest.raises(TurnError):
        service.jobs.update_status(take_turn(second, Place.SENT, 1, now=NOW))
    service.end(first)
    taken = take_turn(second, Place.SENT, 1, now=NOW)
    assert service.jobs.update_status(taken).place is Place.SENT
    assert service.oldest() == third.job_id
    assert set(service.listed()) == {second.job_id, third.job_id}
    # AND a turn is taken once
    with pytest.raises(ConflictError):
        service.jobs.update_status(taken)
    assert service.counts == (2, 0, 0, 1)


def test_a_waiting_job_that_ends_waits_no_longer(service: Service) -> None:
    service.accept(service.submit(awaited(1)), Place.SENT)
    waiting = service.accept(service.submit(awaited(2)), Place.WAITING)
    service.end(waiting)
    assert (service.oldest(), len(service.listed())) == (None, 1)
    assert service.counts == (1, 0, 0, 1)
    with pytest.raises(ConflictError):
        service.jobs.update_status(keep_waiting(waiting, now=NOW))


def test_a_job_leaves_only_the_place_that_it_is_in(service: Service) -> None:
    # GIVEN a job that was given its turn after somebody read it
    service.accept(service.submit(awaited(1)), Place.SENT, turns=1)
    seen = service.accept(service.submit(awaited(2)), Place.WAITING)
    service.jobs.update_status(take_turn(seen, Place.SENT, 2, now=NOW))
    before = service.counts
    # WHEN he ends it as a waiting one THEN nothing is changed
    with pytest.raises(ConflictError):
        service.end(seen)
    assert service.counts == before == (2, 0, 0, 2)


def test_two_at_once_do_not_both_get_the_last_turn(service: Service) -> None:
    jobs = [service.submit(awaited(number)) for number in range(8)]

    def accept(job: Job) -> Job | None:
        with suppress(TurnError):
            return service.accept(job, Place.SENT, turns=2)
        return None

    with ThreadPoolExecutor(8) as pool:
        sent = [job for job in pool.map(accept, jobs) if job is not None]
    assert len(sent) == 2
    assert service.counts == (8, 6, 60, 2)


def refused(service: Service, job: Job, quotas: Quotas = QUOTAS) -> QuotaError:
    before = service.counts
    with pytest.raises(QuotaError) as refusal:
        service.submit(job, quotas)
    assert service.jobs.get_by_id(job.job_id) is None
    assert (service.counts, len(service.listed())) == (before, before[0])
    return refusal.value


def test_an_owner_submits_no_more_than_he_may(service: Service) -> None:
    # GIVEN as many awaited uploads as there may be
    first = service.submit(awaited(1), QUOTAS)
    assert "more than 25 bytes" in str(refused(service, awaited(2, size_bytes=16)))
    service.submit(awaited(2, size_bytes=15), QUOTAS)
    assert "2 of your uploads" in str(refused(service, awaited(3, size_bytes=0)))
    # WHEN one of them arrives THEN there is place for another one
    service.accept(first, Place.SENT)
    third = service.submit(awaited(3), QUOTAS)
    # AND no more open jobs than there may be
    service.accept(third, Place.WAITING)
    error = refused(service, awaited(4))
    assert ("You have 3 jobs" in str(error), error.retry_after_s) == (True, 60)


def test_a_video_that_is_larger_than_all_that_may_be_awaited_is_refused_to_a_new_owner(
    service: Service,
) -> None:
    refused(service, awaited(1, size_bytes=26))


def test_submits_are_counted_by_the_minute(service: Service) -> None:
    # GIVEN as many submits in a minute as may be, of jobs that ended at once
    for number in range(4):
        service.end(service.submit(awaited(number), QUOTAS))
    # THEN the next one comes in the next minute
    error = refused(service, awaited(4))
    assert ("4 jobs a minute" in str(error), error.retry_after_s) == (True, 60 - 19)
    service.submit(awaited(60), QUOTAS)


def test_a_job_that_exists_is_no_question_of_quotas(service: Service) -> None:
    for number in range(2):
        service.submit(awaited(number), QUOTAS)
    with pytest.raises(ConflictError):
        service.submit(awaited(0), QUOTAS)
    assert service.counts == (2, 2, 20, 0)


def test_a_job_of_the_release_before_joins_the_account_when_it_moves(service: Service) -> None:
    # GIVEN jobs that no account counts
    one, other = (replace(awaited(number), place=None) for number in (1, 2))
    for job in (one, other):
        service.jobs.save(job)
    # WHEN one of them ends, and the other one's video arrives
    service.end(one)
    accepted = service.accept(other, Place.SENT)
    # THEN only the other one is counted, until it ends
    assert (service.counts, service.listed()) == ((1, 0, 0, 1), [other.job_id])
    service.end(accepted)
    assert service.counts == (0, 0, 0, 0)


def test_a_job_that_the_release_before_ended_leaves_the_account(service: Service) -> None:
    job = service.accept(service.submit(awaited(1)), Place.SENT)
    ended = service.jobs.update_status(changes.fail_unheld(job, WHY, keep=KEEP, now=NOW))
    assert service.counts == (1, 0, 0, 1)
    left = service.jobs.update_status(leave_account(ended))
    assert (left, service.counts) == (replace(ended, place=None), (0, 0, 0, 0))


def test_an_account_is_put_right_only_as_it_was_seen(service: Service) -> None:
    counts = {"open_jobs": 5, "uploads_awaited": 4, "bytes_awaited": 3, "sent": 2}
    for change in (lambda: None, lambda: service.submit(awaited(1))):
        change()
        seen = service.accounts.read("ann")
        service.accounts.put_right("ann", seen, counts, NOW)
        with pytest.raises(ConflictError):
            service.accounts.put_right("ann", seen, counts, NOW)
        now = service.accounts.read("ann")
        assert (service.counts, now.recounted_at) == ((5, 4, 3, 2), NOW)
        assert now.version == seen.version + 1


def test_a_job_that_is_gone_is_forgotten(service: Service) -> None:
    sent = service.accept(service.submit(awaited(1)), Place.SENT)
    service.accept(service.submit(awaited(2)), Place.WAITING)
    gone = service.accounts.oldest_waiting("ann")
    assert gone is not None
    for _ in range(2):
        service.accounts.forget("ann", gone)
    assert (service.listed(), service.oldest()) == ([sent.job_id], None)


def test_a_job_may_be_sent_without_a_turn(service: Service) -> None:
    job = service.accept(service.submit(awaited(1)), Place.OPEN, turns=None)
    assert (service.counts, service.listed()) == ((1, 0, 0, 0), [job.job_id])
    service.end(job)
    assert (service.counts, service.listed()) == ((0, 0, 0, 0), [])


def test_doubts_are_noted_once_and_taken_away(service: Service) -> None:
    for owner in ("bob", "ann", "bob"):
        service.accounts.doubt(owner)
    assert service.accounts.list_doubted() == ["ann", "bob"]
    for _ in range(2):
        service.accounts.trust("ann")
    assert service.accounts.list_doubted() == ["bob"]


def test_waiting_jobs_are_counted_apart_from_those_that_were_sent(service: Service) -> None:
    sent = service.accept(service.submit(awaited(1)), Place.SENT)
    waiting = [service.accept(service.submit(awaited(number)), Place.WAITING) for number in (2, 3, 4)]
    later = NOW + timedelta(hours=1)
    assert service.jobs.list_accepted(NOW, later, 9) == [sent]
    assert [service.jobs.count_waiting(later, limit) for limit in (9, 2)] == [3, 2]
    assert service.jobs.count_waiting(NOW, 9) == 0
    # AND they are due after those that were sent
    first, *others = (job.job_id for job in service.jobs.list_due(later))
    assert (first, set(others)) == (sent.job_id, {job.job_id for job in waiting})


MOVES: dict[str, Callable[[Move], Move]] = {
    "no turn": lambda move: replace(move, turns=0),
    "no quota": lambda move: replace(move, quotas=replace(QUOTAS, open_jobs=0)),
}


@pytest.mark.parametrize("limit", MOVES)
def test_a_limit_of_nothing_lets_nobody_in(service: Service, limit: str) -> None:
    job = replace(awaited(1), place=Place.SENT)
    with pytest.raises((TurnError, QuotaError)):
        service.jobs.save(job, MOVES[limit](move_of(replace(job, place=None), job.place)))
