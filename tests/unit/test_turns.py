"""Which jobs are sent, which wait, and who sends them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from video_jobs.account_ports import AccountEntry
from video_jobs.adapters.local.memory_accounts import MemoryAccounts
from video_jobs.adapters.local.memory_jobs import MemoryJobRepository
from video_jobs.application import VideoJobs
from video_jobs.bindings import Ports
from video_jobs.domain import changes
from video_jobs.domain.accounts import Account, Place, Quotas
from video_jobs.domain.changes import RECONCILE_GRACE
from video_jobs.domain.errors import JobStateError, QuotaError, TransientError
from video_jobs.domain.fleet import FleetLimits
from video_jobs.domain.job import Job, JobStatus, Output
from video_jobs.domain.keys import video_key
from video_jobs.domain.rules import Rules
from video_jobs.domain.turns import WAITING_PATIENCE, moved
from video_jobs.domain.usage import Usage
from video_jobs.use_cases.intake import Submission
from video_jobs.use_cases.recount import RECOUNT_EVERY
from video_jobs.use_cases.work import Claimant

from tests.support.clock import ManualClock

MP4 = b"\0\0\0\x14ftypisom\0\0\2\0isom" + b"\0" * 200
CLAIMANT = Claimant(worker_id="w", lease=timedelta(minutes=1))
NOTHING_USED = Usage(compute_ms=0, frames=0, bytes=0)


class Service:
    """The application in memory, in which each owner has two turns."""

    def __init__(self, **rules: Any) -> None:
        self.clock = ManualClock()
        self.accounts = MemoryAccounts()
        made = Ports.in_memory(
            self.clock,
            accounts=lambda: self.accounts,
            jobs=lambda: MemoryJobRepository(self.accounts),
        )
        self.app = VideoJobs(made, Rules(**{"running_per_owner": 2} | rules))
        self.ports = made

    def submit(self, owner: str = "ann", size_bytes: int = 100, key: str | None = None) -> Job:
        self.clock.advance(1)
        return self.app.intake.submit_form(size_bytes, Submission(owner=owner, idempotency_key=key))[0]

    def accept(self, owner: str = "ann") -> Job:
        """A job whose video has arrived."""
        job = self.submit(owner)
        self.upload(job)
        return self.now(job)

    def upload(self, job: Job, content: bytes = MP4) -> None:
        self.ports.storage.save_bytes(job.upload.key, content)  # type: ignore[attr-defined]
        self.app.intake.accept_upload(job.upload.key)

    def now(self, job: Job) -> Job:
        found = self.ports.jobs.get_by_id(job.job_id)
        assert found is not None
        return found

    def places(self, jobs: list[Job]) -> list[Place | None]:
        return [self.now(job).place for job in jobs]

    def work(self) -> Job | None:
        """A worker takes the next job."""
        message = self.ports.queue.dequeue()
        if message is None:
            return None
        job = self.app.work.claim(message, CLAIMANT).job
        self.ports.queue.acknowledge(message)
        return job

    def complete(self, job: Job) -> None:
        self.app.work.complete(job, Output("k"), 1, (), NOTHING_USED)

    def end_without_passing_on(self, job: Job) -> None:
        """Whoever ends the job dies before he passes its turn on."""
        job = self.now(job)
        change = changes.cancel(job, keep=timedelta(days=1), now=self.clock.now())
        self.ports.jobs.update_status(moved(change, job, None))

    def end_as_the_release_before(self, job: Job) -> None:
        """It knows no accounts."""
        change = changes.cancel(self.now(job), keep=timedelta(days=1), now=self.clock.now())
        self.ports.jobs.update_status(change)


@pytest.fixture
def service() -> Service:
    return Service()


SENT, WAITING = Place.SENT, Place.WAITING


def test_only_so_many_jobs_of_an_owner_are_in_the_queue(service: Service) -> None:
    jobs = [service.accept() for _ in range(4)]
    assert service.places(jobs) == [SENT, SENT, WAITING, WAITING]
    assert service.ports.queue.size() == 2
    # AND another owner has his own turns
    assert service.accept("bob").place is SENT


def test_another_owners_job_starts_before_the_fifth_of_a_thousand() -> None:
    # GIVEN an owner with a thousand jobs, and then one of another owner
    service = Service(running_per_owner=4, quotas=Quotas(submits_a_minute=1000))
    for _ in range(1000):
        service.accept("ann")
    service.accept("bob")
    # WHEN a worker works on what is in the queue
    started = []
    for _ in range(20):
        job = service.work()
        assert job is not None
        started.append(job.owner)
        service.complete(job)
    # THEN the other owner's job is one of the first five, and the first owner's go on
    assert started.index("bob") <= 4
    assert started.count("ann") == 19


def test_a_told_again_upload_does_not_send_a_job_that_waits(service: Service) -> None:
    *_, waiting = (service.accept() for _ in range(3))
    service.app.intake.accept_upload(waiting.upload.key)
    assert (service.now(waiting).place, service.ports.queue.size()) == (WAITING, 2)


def test_whoever_ends_a_job_sends_its_owners_oldest(service: Service) -> None:
    # GIVEN two jobs in the queue, and three that wait
    jobs = [service.accept() for _ in range(5)]
    # WHEN a worker completes one, another one is cancelled, and a third one becomes a dead letter
    first = service.work()
    assert first is not None
    service.complete(first)
    assert service.places(jobs) == [None, SENT, SENT, WAITING, WAITING]
    service.app.owner.cancel(service.now(jobs[1]))
    assert service.places(jobs) == [None, None, SENT, SENT, WAITING]
    service.app.upkeep.bury(jobs[2].job_id, 1)
    # THEN each time the oldest one that waits is sent
    assert service.places(jobs) == [None, None, None, SENT, SENT]
    assert [job.queued_at is not None for job in map(service.now, jobs[3:])] == [True, True]
    assert service.accounts.read("ann").sent == 2


def test_a_job_that_ends_while_it_waits_gives_nobody_a_turn(service: Service) -> None:
    jobs = [service.accept() for _ in range(4)]
    service.app.owner.cancel(service.now(jobs[2]))
    assert service.places(jobs) == [SENT, SENT, None, WAITING]


def test_a_job_keeps_its_turn_until_it_ends(service: Service) -> None:
    jobs = [service.accept() for _ in range(3)]
    running = service.work()
    assert running is not None
    # WHEN it is given back, sent again, and taken from a lost worker
    service.app.work.give_back(running, NOTHING_USED, count_failure=True)
    given_back = service.now(running)
    service.ports.jobs.update_status(changes.requeue(given_back, now=service.clock.now()))
    service.clock.advance(3600)
    service.app.upkeep.reconcile()
    # THEN the job that waits goes on waiting
    assert service.places(jobs) == [SENT, SENT, WAITING]


def test_a_retried_job_waits_for_its_turn_as_any_other(service: Service) -> None:
    first, second = (service.accept() for _ in range(2))
    service.app.owner.cancel(first)
    third = service.accept()
    assert service.app.owner.retry(service.now(first)).place is WAITING
    # AND it has the next one, because it was made first
    later = service.accept()
    service.app.owner.cancel(service.now(second))
    assert service.places([first, third, later]) == [SENT, SENT, WAITING]


def test_a_turn_that_nobody_passed_on_is_given_by_reconcile(service: Service) -> None:
    first, second, waiting, other = (service.accept() for _ in range(4))
    service.end_without_passing_on(first)
    assert service.now(waiting).place is WAITING
    service.clock.advance(RECONCILE_GRACE.seconds)
    repairs = service.app.upkeep.reconcile()
    assert repairs["turn_given"] == 1
    assert service.places([second, waiting, other]) == [SENT, SENT, WAITING]


def test_a_waiting_job_that_is_listed_nowhere_is_sent_by_reconcile(service: Service) -> None:
    first, _, waiting = (service.accept() for _ in range(3))
    entry = service.accounts.oldest_waiting("ann")
    assert entry is not None
    service.accounts.forget("ann", entry)
    service.end_without_passing_on(first)
    service.clock.advance(RECONCILE_GRACE.seconds)
    service.app.upkeep.reconcile()
    assert service.now(waiting).place is SENT


def test_reconcile_leaves_waiting_jobs_alone_while_no_turn_is_free(service: Service) -> None:
    jobs = [service.accept() for _ in range(5)]
    service.clock.advance(RECONCILE_GRACE.seconds)
    assert service.app.upkeep.reconcile() == {}
    assert service.places(jobs) == [SENT, SENT, WAITING, WAITING, WAITING]
    due = {service.now(job).due_at for job in jobs[2:]}
    assert due == {service.clock.now() + WAITING_PATIENCE}


def test_a_failure_to_pass_the_turn_on_does_not_undo_the_end(service: Service) -> None:
    # GIVEN a queue that does not answer
    jobs = [service.accept() for _ in range(3)]
    running = service.work()
    assert running is not None
    service.ports.queue.enqueue = lambda *_: (_ for _ in ()).throw(TransientError())  # type: ignore[method-assign]
    service.complete(running)
    assert service.now(running).status is JobStatus.COMPLETED
    # WHEN it answers again THEN reconcile sends the job
    del service.ports.queue.enqueue
    service.clock.advance(RECONCILE_GRACE.seconds)
    assert service.app.upkeep.reconcile()["sent_again"] == 1
    assert service.now(jobs[2]).queued_at is not None


def test_in_strict_order_all_jobs_are_sent_at_once() -> None:
    service = Service(fleet=FleetLimits(strict_order=True))
    jobs = [service.accept() for _ in range(4)]
    assert service.places(jobs) == [Place.OPEN] * 4
    assert service.ports.queue.size() == 4
    # AND what waited under the other order is sent
    other = f"f{jobs[0].job_id[1:]}"
    waiting = replace(jobs[0], job_id=other, place=WAITING, queued_at=None, due_at=service.clock.now())
    service.ports.jobs.save(waiting)
    service.app.upkeep.reconcile()
    assert service.now(waiting).place is Place.OPEN


# --- quotas ------------------------------------------------------------------------------------------


def test_each_way_of_submitting_has_the_same_quotas(tmp_path: Any) -> None:
    service = Service(quotas=Quotas(open_jobs=1), max_body_bytes=1000)
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
    service = Service(quotas=Quotas(uploads_awaited=2, bytes_awaited=300))
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
    service = Service(quotas=Quotas(open_jobs=1), max_retries=2)
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


def test_turns_that_the_release_before_took_along_are_found_again_and_again(service: Service) -> None:
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


def test_turns_that_nobody_has_are_found(service: Service) -> None:
    # GIVEN sent jobs whose items were deleted by hand
    first, second, waiting = (service.accept() for _ in range(3))
    for job in (first, second):
        service.ports.jobs.delete(job.job_id, changes.Expected(status=JobStatus.PENDING))
    service.clock.advance(RECONCILE_GRACE.seconds)
    service.app.upkeep.reconcile()
    assert service.now(waiting).place is SENT
    account = service.accounts.read("ann")
    assert (account.open_jobs, account.sent) == (1, 1)


def test_a_waiting_job_that_the_release_before_ended_does_not_stand_before_others(service: Service) -> None:
    first, _, ended, waiting = (service.accept() for _ in range(4))
    service.end_as_the_release_before(ended)
    service.app.owner.cancel(first)
    assert service.places([ended, waiting]) == [None, SENT]


def test_a_waiting_job_that_is_gone_does_not_stand_before_others(service: Service) -> None:
    first, _, gone, waiting = (service.accept() for _ in range(4))
    service.ports.jobs.delete(gone.job_id, changes.Expected(status=JobStatus.PENDING))
    service.app.owner.cancel(first)
    assert service.now(waiting).place is SENT


def test_the_account_of_who_was_refused_is_recounted() -> None:
    # GIVEN an owner who is refused because of a job that no longer exists
    service = Service(quotas=Quotas(open_jobs=2))
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
    service = Service(quotas=Quotas(open_jobs=1))
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


def test_an_account_that_changes_meanwhile_is_counted_at_the_next_run(service: Service) -> None:
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


def test_jobs_of_the_release_before_go_on_and_count_from_their_next_move(service: Service) -> None:
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


def test_a_release_without_turns_sends_what_waits(service: Service) -> None:
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
