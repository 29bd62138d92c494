"""Which jobs are sent, which wait, and who sends them."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest
from video_jobs.domain import changes
from video_jobs.domain.accounts import Place, Quotas
from video_jobs.domain.changes import RECONCILE_GRACE
from video_jobs.domain.errors import TransientError
from video_jobs.domain.fleet import FleetLimits
from video_jobs.domain.job import JobStatus
from video_jobs.domain.turns import WAITING_PATIENCE

from tests.support.turn_service import NOTHING_USED, TurnService


@pytest.fixture
def service() -> TurnService:
    return TurnService()


SENT, WAITING = Place.SENT, Place.WAITING


def test_only_so_many_jobs_of_an_owner_are_in_the_queue(service: TurnService) -> None:
    jobs = [service.accept() for _ in range(4)]
    assert service.places(jobs) == [SENT, SENT, WAITING, WAITING]
    assert service.ports.queue.size() == 2
    # AND another owner has his own turns
    assert service.accept("bob").place is SENT


def test_another_owners_job_starts_before_the_fifth_of_a_thousand() -> None:
    # GIVEN an owner with a thousand jobs, and then one of another owner
    service = TurnService(running_per_owner=4, quotas=Quotas(submits_a_minute=1000))
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


def test_a_told_again_upload_does_not_send_a_job_that_waits(service: TurnService) -> None:
    *_, waiting = (service.accept() for _ in range(3))
    service.app.intake.accept_upload(waiting.upload.key)
    assert (service.now(waiting).place, service.ports.queue.size()) == (WAITING, 2)


def test_whoever_ends_a_job_sends_its_owners_oldest(service: TurnService) -> None:
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


def test_a_job_that_ends_while_it_waits_gives_nobody_a_turn(service: TurnService) -> None:
    jobs = [service.accept() for _ in range(4)]
    service.app.owner.cancel(service.now(jobs[2]))
    assert service.places(jobs) == [SENT, SENT, None, WAITING]


def test_a_job_keeps_its_turn_until_it_ends(service: TurnService) -> None:
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


def test_a_retried_job_waits_for_its_turn_as_any_other(service: TurnService) -> None:
    first, second = (service.accept() for _ in range(2))
    service.app.owner.cancel(first)
    third = service.accept()
    assert service.app.owner.retry(service.now(first)).place is WAITING
    # AND it has the next one, because it was made first
    later = service.accept()
    service.app.owner.cancel(service.now(second))
    assert service.places([first, third, later]) == [SENT, SENT, WAITING]


def test_a_turn_that_nobody_passed_on_is_given_by_reconcile(service: TurnService) -> None:
    first, second, waiting, other = (service.accept() for _ in range(4))
    service.end_without_passing_on(first)
    assert service.now(waiting).place is WAITING
    service.clock.advance(RECONCILE_GRACE.seconds)
    repairs = service.app.upkeep.reconcile()
    assert repairs["turn_given"] == 1
    assert service.places([second, waiting, other]) == [SENT, SENT, WAITING]


def test_a_waiting_job_that_is_listed_nowhere_is_sent_by_reconcile(service: TurnService) -> None:
    first, _, waiting = (service.accept() for _ in range(3))
    entry = service.accounts.oldest_waiting("ann")
    assert entry is not None
    service.accounts.forget("ann", entry)
    service.end_without_passing_on(first)
    service.clock.advance(RECONCILE_GRACE.seconds)
    service.app.upkeep.reconcile()
    assert service.now(waiting).place is SENT


def test_reconcile_leaves_waiting_jobs_alone_while_no_turn_is_free(service: TurnService) -> None:
    jobs = [service.accept() for _ in range(5)]
    service.clock.advance(RECONCILE_GRACE.seconds)
    assert service.app.upkeep.reconcile() == {}
    assert service.places(jobs) == [SENT, SENT, WAITING, WAITING, WAITING]
    due = {service.now(job).due_at for job in jobs[2:]}
    assert due == {service.clock.now() + WAITING_PATIENCE}


def test_a_failure_to_pass_the_turn_on_does_not_undo_the_end(service: TurnService) -> None:
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
    service = TurnService(fleet=FleetLimits(strict_order=True))
    jobs = [service.accept() for _ in range(4)]
    assert service.places(jobs) == [Place.OPEN] * 4
    assert service.ports.queue.size() == 4
    # AND what waited under the other order is sent
    other = str(uuid.uuid4())
    waiting = replace(jobs[0], job_id=other, place=WAITING, queued_at=None, due_at=service.clock.now())
    service.ports.jobs.save(waiting)
    service.app.upkeep.reconcile()
    assert service.now(waiting).place is Place.OPEN
