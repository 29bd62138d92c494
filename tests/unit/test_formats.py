"""Workers of two releases side by side: a job waits for a worker that understands it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import timedelta

import pytest
from video_jobs.adapters.local.memory_jobs import MemoryJobRepository
from video_jobs.adapters.local.memory_queue import MemoryQueue
from video_jobs.adapters.local.memory_storage import MemoryStorage
from video_jobs.application import VideoJobs
from video_jobs.bindings import Ports
from video_jobs.domain import formats
from video_jobs.domain.formats import FIRST_FORMAT, NEWEST_FORMAT, needed_format
from video_jobs.domain.job import Job, JobOptions, JobStatus
from video_jobs.domain.rules import Rules
from video_jobs.ports import QueueMessage
from video_jobs.use_cases.intake import Submission
from video_jobs.use_cases.work import Claim, Claimant, Verdict

from tests.contract.jobs import JOB_ID, LEASE, make_job
from tests.support.clock import ManualClock

MP4 = b"\0\0\0\x14ftypisom\0\0\2\0isom" + b"\0" * 200
OLD_WORKER = Claimant(worker_id="old", lease=LEASE, understands=1)
NEW_WORKER = Claimant(worker_id="new", lease=LEASE, understands=2)
FIVE_MINUTES_S = 300


class JobsReadTooEarly(MemoryJobRepository):
    """``meanwhile`` happens once, between a worker's reading and its writing."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: Callable[[], object] | None = None

    def get_by_id(self, job_id: str) -> Job | None:
        job = super().get_by_id(job_id)
        happening, self.meanwhile = self.meanwhile, None
        if happening is not None:
            happening()
        return job


class World:
    """The service in memory, with one queued job that needs format 2."""

    def __init__(self, **rules: int) -> None:
        self.clock = ManualClock()
        self.jobs, self.storage = JobsReadTooEarly(), MemoryStorage()
        self.queue = MemoryQueue(self.clock)
        ports = Ports.in_memory(
            self.clock, jobs=lambda: self.jobs, storage=lambda: self.storage, queue=lambda: self.queue
        )
        self.app = VideoJobs(ports, Rules(max_crashes=rules.get("max_crashes", 5)))
        job = make_job(needs=2)
        self.jobs.save(job)
        self.storage.save_bytes(job.upload.key, MP4)
        self.app.intake.accept_upload(job.upload.key)

    @property
    def job(self) -> Job:
        job = self.jobs.get_by_id(JOB_ID)
        assert job is not None
        return job

    def receive(self) -> QueueMessage:
        message = self.queue.dequeue(visibility_s=int(LEASE.total_seconds()))
        assert message is not None
        return message

    def offer(self, claimant: Claimant) -> Claim:
        """What a worker does with the next message, as the worker's loop obeys the verdict."""
        message = self.receive()
        claim = self.app.work.claim(message, claimant)
        if claim.verdict is Verdict.ACKNOWLEDGE:
            self.queue.acknowledge(message)
        return claim


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize(
    ("chosen", "needed"),
    [
        ([], 1),
        (["frame_stride"], 1),
        (["crop"], 2),
        (["mask"], 3),
        (["mask", "crop", "frame_stride"], 3),
        (["unheard_of"], 1),
    ],
)
def test_a_job_needs_the_newest_format_of_its_options(chosen: Collection[str], needed: int) -> None:
    assert needed_format(chosen, {"crop": 2, "mask": 3}) == needed


def test_a_worker_of_this_release_understands_every_job_of_this_release() -> None:
    chosen = {*JobOptions.__slots__, "source_url"}
    assert needed_format(chosen) == NEWEST_FORMAT
    assert formats.INTRODUCED.keys() <= chosen
    assert Claimant(worker_id="w", lease=LEASE).understands == NEWEST_FORMAT


@pytest.mark.parametrize(
    ("options", "needed"),
    [(JobOptions(), FIRST_FORMAT), (JobOptions(max_frames=3), 7), (JobOptions(frame_stride=2), FIRST_FORMAT)],
    ids=["nothing chosen", "a newer option", "an option of the first format"],
)
def test_a_submitted_job_carries_the_format_that_its_options_need(
    options: JobOptions, needed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(formats.INTRODUCED, "max_frames", 7)
    app = VideoJobs(Ports.in_memory(ManualClock()), Rules())
    job, _ = app.intake.submit_form(10, Submission(owner="ann", options=options))
    assert job.needs == needed
    assert app.ports.jobs.get_by_id(job.job_id) == job


def test_an_older_worker_leaves_the_job_and_its_message_is_gone(world: World) -> None:
    # WHEN a worker of the release before receives a job that it does not understand
    claim = world.offer(OLD_WORKER)
    # THEN it has no job, and the message never comes back, so that no redelivery counts
    assert (claim.verdict, claim.reason, claim.job) == (Verdict.ACKNOWLEDGE, "needs a newer worker", None)
    world.clock.advance(3600)
    assert world.queue.dequeue() is None


def test_a_job_that_was_left_is_sent_again_after_five_minutes_not_sooner(world: World) -> None:
    world.offer(OLD_WORKER)
    world.clock.advance(FIVE_MINUTES_S - 1)
    assert world.app.upkeep.reconcile() == {}
    assert world.queue.size() == 0
    world.clock.advance(1)
    assert world.app.upkeep.reconcile() == {"sent_again": 1}
    claim = world.offer(NEW_WORKER)
    assert (claim.verdict, claim.job) == (Verdict.WORK, world.job)
    assert (world.job.status, world.job.worker_id, world.job.attempt) == (JobStatus.RUNNING, "new", 1)


def test_a_worker_that_vanished_from_a_job_counts_when_an_older_worker_leaves_it(world: World) -> None:
    # GIVEN a job whose worker vanished
    world.offer(NEW_WORKER)
    world.clock.advance(LEASE.total_seconds())
    # WHEN its message comes to an older worker
    claim = world.offer(OLD_WORKER)
    # THEN the crash counts, and nothing else does
    assert (claim.verdict, claim.reason) == (Verdict.ACKNOWLEDGE, "needs a newer worker")
    job = world.job
    assert (job.status, job.lease, job.crashes) == (JobStatus.PENDING, None, 1)
    assert (job.attempt, job.failures) == (1, 0)
    assert job.updated_at == world.clock.now()  # its status has changed
    # AND the job goes on elsewhere
    world.clock.advance(FIVE_MINUTES_S)
    assert world.app.upkeep.reconcile() == {"sent_again": 1}
    assert world.offer(NEW_WORKER).verdict is Verdict.WORK


def test_the_last_crash_ends_a_job_even_if_an_older_worker_finds_it() -> None:
    world = World(max_crashes=1)
    world.offer(NEW_WORKER)
    world.clock.advance(LEASE.total_seconds())
    claim = world.offer(OLD_WORKER)
    assert (claim.verdict, claim.reason) == (Verdict.ACKNOWLEDGE, "too many crashes")
    assert world.job.error is not None
    assert (world.job.status, world.job.error.code) == (JobStatus.FAILED, "worker_crashed")


def test_an_older_worker_does_not_touch_a_job_that_another_holds(world: World) -> None:
    # GIVEN a held job whose message is delivered a second time
    message = world.receive()
    held = world.app.work.claim(message, NEW_WORKER).job
    # WHEN an older worker gets it
    claim = world.app.work.claim(message, OLD_WORKER)
    # THEN it comes back when the lease may have ended
    assert (claim.verdict, claim.delay_s) == (Verdict.RETURN, LEASE.total_seconds())
    assert world.job == held


def test_a_worker_that_read_the_job_before_it_was_left_cannot_claim_it(world: World) -> None:
    # GIVEN a message that two workers have received, as a queue may deliver twice
    message = world.receive()
    # WHEN the older worker leaves the job after the newer one has read it
    world.jobs.meanwhile = lambda: world.app.work.claim(message, OLD_WORKER)
    claim = world.app.work.claim(message, NEW_WORKER)
    # THEN the newer one does not get it: the message is acknowledged already
    assert (claim.verdict, claim.job) == (Verdict.RETURN, None)
    assert (world.job.status, world.job.attempt) == (JobStatus.PENDING, 0)
    # AND when it looks again, it has an older generation in its hands
    assert world.app.work.claim(message, NEW_WORKER).reason == "older generation"


def test_a_worker_that_read_the_job_before_it_was_claimed_cannot_leave_it(world: World) -> None:
    message = world.receive()
    world.jobs.meanwhile = lambda: world.app.work.claim(message, NEW_WORKER)
    claim = world.app.work.claim(message, OLD_WORKER)
    assert (claim.verdict, claim.job) == (Verdict.RETURN, None)
    assert (world.job.status, world.job.worker_id) == (JobStatus.RUNNING, "new")


def test_a_job_left_before_it_was_marked_is_still_due(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    # GIVEN a job that is due again, and an older worker that is faster than reconcile
    world.offer(OLD_WORKER)
    world.clock.advance(FIVE_MINUTES_S)
    enqueue = world.queue.enqueue

    def enqueued_and_left(job_id: str, generation: int) -> None:
        enqueue(job_id, generation)
        world.offer(OLD_WORKER)

    monkeypatch.setattr(world.queue, "enqueue", enqueued_and_left)
    # WHEN reconcile sends it, and notes it only after the worker has left it
    assert world.app.upkeep.reconcile() == {"sent_again": 1}
    # THEN the job does not count as queued
    assert world.job.queued_at is None
    assert world.job.due_at == world.clock.now() + timedelta(seconds=FIVE_MINUTES_S)
