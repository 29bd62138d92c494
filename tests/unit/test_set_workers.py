"""The use cases that set the number of workers, over the local adapters."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from video_jobs.adapters.local.memory_fleet import MemoryFleetRepository, MemoryWorkerFleet
from video_jobs.application import VideoJobs
from video_jobs.bindings import Ports
from video_jobs.domain import changes
from video_jobs.domain.accounts import Place
from video_jobs.domain.errors import FleetError, TransientError
from video_jobs.domain.fleet import LONGEST_LEASE, FleetAction, FleetLimits, FleetOutcome, FleetRecord
from video_jobs.domain.job import Failure, Job
from video_jobs.domain.rules import Rules
from video_jobs.fleet_ports import WorkerService
from video_jobs.ports import QueueMessage

from tests.contract.jobs import make_job
from tests.support.clock import ManualClock

LIMITS = FleetLimits(max_workers=4, jobs_per_worker=2)
LEASE = timedelta(seconds=60)
MINUTE_S = 60


def job_id(number: int) -> str:
    return f"{number:08x}-1111-4111-8111-111111111111"


class Held(NamedTuple):
    """A job that a worker holds, with its message."""

    job: Job
    message: QueueMessage


class Service:
    """The application with a fleet, and jobs in it."""

    def __init__(self, **ports: Any) -> None:
        self.clock = ManualClock()
        self.fleet = MemoryWorkerFleet()
        made = Ports.in_memory(self.clock, fleet=lambda: self.fleet, **ports)
        self.app = VideoJobs(made, Rules(fleet=LIMITS))
        self.ports = self.app.ports
        self._jobs = 0

    @property
    def workers(self) -> int:
        return self.fleet.look().desired

    @property
    def record(self) -> FleetRecord:
        return self.ports.fleet_records.read()

    def accept(self) -> Job:
        """A job whose video has arrived, and whose message is not sent yet."""
        self._jobs += 1
        job = make_job(job_id(self._jobs))
        self.ports.jobs.save(job)
        now = self.clock.now()
        return self.ports.jobs.update_status(changes.accept_upload(job, version="v", size_bytes=1, now=now))

    def send(self) -> Job:
        """A job that waits in the queue."""
        job = self.accept()
        self.ports.queue.enqueue(job.job_id, job.generation)
        return self.ports.jobs.update_status(changes.mark_queued(job, now=self.clock.now()))

    def claim(self, lease: timedelta = LEASE) -> Held:
        """A worker takes the next job."""
        message = self.ports.queue.dequeue(visibility_s=int(lease.total_seconds()))
        assert message is not None
        job = self.ports.jobs.get_by_id(message.body)
        assert job is not None
        claimed = changes.claim(job, worker_id="w", lease=lease, now=self.clock.now())
        return Held(self.ports.jobs.update_status(claimed), message)

    def end(self, held: Held) -> None:
        """The worker ends its job."""
        ended = changes.fail_running(held.job, Failure("x", "why"), keep=LEASE, now=self.clock.now())
        self.ports.jobs.update_status(ended)
        self.ports.queue.acknowledge(held.message)

    def resize(self) -> FleetAction:
        return self.app.fleet.resize().action

    def resize_for(self, minutes: int) -> list[int]:
        """The number after each minute."""
        numbers = []
        for _ in range(minutes):
            self.clock.advance(MINUTE_S)
            self.resize()
            numbers.append(self.workers)
        return numbers


@pytest.fixture
def service() -> Service:
    return Service()


class Away:
    """Stands for an adapter of which every call fails."""

    is_managed = True

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:
        def fail(*_: Any, **__: Any) -> Any:
            raise self._error

        return fail


# --- resize ------------------------------------------------------------------------------------------


def test_waiting_jobs_start_workers(service: Service) -> None:
    for _ in range(3):
        service.send()
    assert service.app.fleet.resize() == FleetOutcome(FleetAction.CHANGED, 2)
    assert service.workers == 2
    # AND the same work asks ECS for nothing
    assert service.resize() is FleetAction.KEPT
    assert service.fleet.asked == [2]


def test_jobs_that_wait_for_a_turn_start_workers_but_no_more_than_can_be_used(service: Service) -> None:
    # GIVEN an owner with two turns and ten jobs that wait for one
    for _ in range(2):
        service.send()
    for _ in range(10):
        job = service.accept()
        service.ports.jobs.delete(job.job_id, changes.Expected(status=job.status))
        service.ports.jobs.save(replace(job, place=Place.WAITING))
    # THEN they count, but a third worker would have nothing to do
    assert service.app.fleet.resize() == FleetOutcome(FleetAction.CHANGED, 2)
    # AND with four jobs in the queue, all of the backlog of ten starts as many as may be
    for _ in range(2):
        service.send()
    assert service.app.fleet.resize() == FleetOutcome(FleetAction.CHANGED, 4)


def test_running_jobs_keep_their_workers_and_spare_ones_go(service: Service) -> None:
    # GIVEN four workers, of which one will hold its job for long
    for _ in range(7):
        service.send()
    service.resize()
    for _ in range(6):
        service.end(service.claim())
    service.claim(LONGEST_LEASE)
    assert service.workers == 4
    # THEN three go one by one, after ten minutes
    assert service.resize_for(10)[-1] == 4
    assert service.resize_for(4) == [3, 2, 1, 1]


def test_the_last_worker_goes_when_nothing_waits_or_runs(service: Service) -> None:
    service.send()
    service.resize()
    service.end(service.claim())
    assert service.resize_for(11) == [1] * 10 + [0]


@pytest.mark.parametrize("kind", ["hidden", "unsent", "held"])
def test_each_kind_of_work_is_work(service: Service, kind: str) -> None:
    if kind == "hidden":  # a message that was returned with a delay
        service.send()
        message = service.ports.queue.dequeue()
        assert message is not None
        service.ports.queue.return_message(message, 300)
    elif kind == "unsent":
        service.accept()
    else:  # its message is lost, but a worker has the longest lease there is
        service.ports.queue = Away(TransientError())
        job = service.accept()
        claimed = changes.claim(job, worker_id="w", lease=LONGEST_LEASE, now=service.clock.now())
        service.ports.jobs.update_status(claimed)
    service.resize()
    assert service.workers == 1


def test_a_message_of_a_held_job_is_not_counted_as_waiting_too(service: Service) -> None:
    for _ in range(3):
        service.send()
        service.claim()
    service.resize()
    assert service.workers == 3
    assert service.resize_for(1) == [3]


def test_a_job_behind_a_long_one_gets_a_second_worker(service: Service) -> None:
    service.send()
    service.resize()
    service.claim(LONGEST_LEASE)
    service.send()
    assert service.resize_for(10) == [1] * 9 + [2]


def test_a_job_whose_lease_has_ended_is_held_by_nobody(service: Service) -> None:
    service.send()
    service.claim()
    service.clock.advance(MINUTE_S + 1)
    workload = service.app.fleet._workload(service.clock.now())
    assert (workload.waiting, workload.held) == (1, 0)


def test_a_queue_that_does_not_answer_changes_nothing(service: Service) -> None:
    for _ in range(3):
        service.send()
    service.resize()
    service.ports.queue = Away(TransientError())
    assert service.resize_for(30) == [2] * 30


def test_what_an_operator_set_is_where_the_next_decision_starts(service: Service) -> None:
    service.resize()
    service.fleet.set_workers(2)
    assert service.resize_for(12) == [2] * 10 + [1, 0]


# --- one at a time -----------------------------------------------------------------------------------


def test_only_one_caller_sets_the_number_at_a_time(service: Service) -> None:
    service.send()
    service.ports.fleet_records.take("other", until=service.clock.now() + LEASE, now=service.clock.now())
    assert service.resize() is FleetAction.BUSY
    assert service.app.fleet.wake().action is FleetAction.BUSY
    assert service.fleet.asked == []
    # WHEN the other one died
    service.clock.advance(MINUTE_S)
    assert service.resize() is FleetAction.CHANGED


def test_the_number_is_set_before_the_lease_is_given_up(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.send()
    seen: list[FleetAction] = []
    monkeypatch.setattr(service.fleet, "set_workers", lambda _: seen.append(service.resize()))
    service.resize()
    assert seen == [FleetAction.BUSY]


@pytest.mark.parametrize("failing", ["look", "set_workers"])
@pytest.mark.parametrize("error", [FleetError("ECS is away"), TransientError("AWS is away")])
def test_a_failing_call_changes_nothing_and_says_why(
    service: Service, failing: str, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.send()
    before = service.record
    monkeypatch.setattr(service.fleet, failing, getattr(Away(error), failing))
    outcome = service.app.fleet.resize()
    assert (outcome.action, outcome.reason) == (FleetAction.FAILED, str(error))
    assert service.record.decision == before.decision
    # AND the lease is free, so that the next minute tries again
    monkeypatch.undo()
    assert service.resize() is FleetAction.CHANGED


def test_a_record_that_is_away_changes_nothing() -> None:
    service = Service(fleet_records=lambda: Away(FleetError("DynamoDB is away")))
    service.send()
    for outcome in (service.app.fleet.resize(), service.app.fleet.wake()):
        assert outcome == FleetOutcome(FleetAction.FAILED, reason="DynamoDB is away")
    assert service.fleet.asked == []


def test_without_a_service_nothing_is_looked_at() -> None:
    service = Service(fleet_records=lambda: Away(AssertionError("looked at")))
    service.fleet.is_managed = False
    assert service.resize() is service.app.fleet.wake().action is FleetAction.UNMANAGED


# --- wake --------------------------------------------------------------------------------------------


def test_an_upload_starts_the_first_worker(service: Service) -> None:
    assert service.app.fleet.wake() == FleetOutcome(FleetAction.CHANGED, 1)
    # AND the schedule, which may see the queue late, leaves it there
    assert service.resize_for(10) == [1] * 10


def test_an_upload_starts_no_second_worker(service: Service) -> None:
    service.send()
    service.resize()
    assert service.app.fleet.wake() == FleetOutcome(FleetAction.KEPT, 1)
    assert service.fleet.asked == [1]


def test_an_upload_does_not_lower_what_an_operator_set(service: Service) -> None:
    service.fleet.set_workers(3)  # the record does not know yet
    assert service.app.fleet.wake() == FleetOutcome(FleetAction.KEPT, 3)
    assert service.workers == 3


def test_uploads_call_ecs_at_most_once_a_minute(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []

    def away() -> WorkerService:
        looks.append(1)
        raise FleetError

    monkeypatch.setattr(service.fleet, "look", away)
    actions = [service.app.fleet.wake().action for _ in range(3)]
    assert actions == [FleetAction.FAILED, FleetAction.KEPT, FleetAction.KEPT]
    service.clock.advance(MINUTE_S)
    service.app.fleet.wake()
    assert len(looks) == 2


def test_two_uploads_at_once_start_one_worker(service: Service) -> None:
    """The second one read the record before the first one took it."""
    records = MemoryFleetRepository()
    service.ports.fleet_records = records
    stale = records.read()
    service.app.fleet.wake()
    records.read = lambda: stale  # type: ignore[method-assign]
    assert service.app.fleet.wake().action is FleetAction.KEPT
    assert service.fleet.asked == [1]


# --- releases ----------------------------------------------------------------------------------------


def test_a_release_is_noted_when_it_is_seen_and_changes_no_number(service: Service) -> None:
    service.send()
    service.resize()
    service.clock.advance(MINUTE_S)
    service.fleet.service = replace(service.fleet.service, task_definition="worker:2")
    service.resize()
    seen_at = service.clock.now()
    assert service.resize_for(5) == [1] * 5
    assert (service.record.task_definition, service.record.task_definition_since) == ("worker:2", seen_at)
