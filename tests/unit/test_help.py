"""Help with long videos: what a holder offers, what a helper gets, and when its work must end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from video_jobs.adapters.local.memory_segments import MemorySegmentRepository
from video_jobs.domain.changes import Expected
from video_jobs.domain.errors import ConflictError, TransientError
from video_jobs.domain.fleet import FleetLimits
from video_jobs.domain.job import JobStatus, Lease, Progress, Upload, UploadState
from video_jobs.domain.parts import run_id
from video_jobs.domain.segments import MOST_CLAIMS, MOST_UNCLAIMED, Segment
from video_jobs.domain.usage import Usage
from video_jobs.use_cases.help import HelpClaim
from video_jobs.use_cases.work import Claimant, LeaseLostError

from tests.support.help_world import HELPER, HOLDER, JOB_ID, LEASE, USED, HelpWorld


@pytest.fixture
def world() -> HelpWorld:
    return HelpWorld()


def ranges(count: int, first: int = 0) -> list[range]:
    return [range(number, number + 1) for number in range(first, first + count)]


def body(number: int) -> str:
    return f"{JOB_ID}/segment/{number}"


# --- whether, and how much ----------------------------------------------------------------------------


def test_help_is_wanted_from_so_many_parts_on() -> None:
    assert HelpWorld().help.least_parts == 8


def test_strict_order_never_asks_for_help_nor_does_who_may_have_one_message() -> None:
    assert HelpWorld(fleet=FleetLimits(strict_order=True)).help.least_parts is None
    assert HelpWorld(running_per_owner=1).help.least_parts is None


@pytest.mark.parametrize(
    ("running", "sent", "asked"),
    [(100, 1, 4), (4, 1, 3), (4, 2, 1), (4, 3, 0), (1, 1, 0), (10, 3, 2), (4, 0, 3), (4, 9, 0)],
)
def test_the_messages_keep_within_the_owners_share(running: int, sent: int, asked: int) -> None:
    world = HelpWorld(running_per_owner=running)
    world.accounts.sent = sent
    assert len(world.offer(*ranges(10))) == asked
    assert world.messages() == [body(number) for number in range(asked)]
    # AND they count until somebody received them
    assert len(world.offer(*ranges(10, asked))) == asked
    assert world.messages() == []


@pytest.fixture
def rich() -> HelpWorld:
    """The share of its owner is no limit."""
    return HelpWorld(running_per_owner=100)


def test_a_message_that_could_not_be_sent_does_not_count(
    rich: HelpWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise TransientError

    with monkeypatch.context() as patch:
        patch.setattr(rich.app.ports.queue, "ask_for_help", fail)
        with pytest.raises(TransientError):
            rich.offer(*ranges(4))
    # WHEN the queue answers again, and the holder does that segment itself
    assert rich.help.take(rich.segments[0], HOLDER) is not None
    rich.offer(*ranges(4, 1))
    assert len(rich.messages()) == MOST_UNCLAIMED


def test_what_is_offered_has_the_parts_and_asks(rich: HelpWorld) -> None:
    found = rich.offer(range(3), range(3, 9))
    run = run_id(rich.job, "f")
    assert found == rich.segments
    assert found == [
        Segment(job_id=JOB_ID, run_id=run, number=0, first_part=0, part_count=3, is_asked=True),
        Segment(job_id=JOB_ID, run_id=run, number=1, first_part=3, part_count=6, is_asked=True),
    ]


def test_a_segment_that_is_taken_makes_room_for_another_if_its_message_was_received(rich: HelpWorld) -> None:
    rich.offer(*ranges(10))
    assert len(rich.segments) == MOST_UNCLAIMED
    # a helper that has received one message and taken its segment
    rich.claimed(2)
    rich.messages()
    assert [one.number for one in rich.offer(*ranges(10, 4))] == [0, 1, 2, 3, 4]
    assert rich.messages() == [body(4)]
    # AND one that the holder has taken does not, since its message is still in the queue
    first = rich.segments[0]
    assert rich.help.take(first, HOLDER)
    assert len(rich.offer(*ranges(10, 5))) == 5


def test_a_segment_that_waits_leaves_no_room_although_its_message_was_received(rich: HelpWorld) -> None:
    rich.offer(*ranges(10))
    for number in range(MOST_UNCLAIMED):
        assert rich.claim(number, fingerprint="other").segment is None
    assert len(rich.offer(*ranges(10, 4))) == MOST_UNCLAIMED


def test_a_number_that_another_holder_has_written_ends_the_offer(
    rich: HelpWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    # GIVEN a holder that has not seen what its successor wrote
    seen = rich.segments
    rich.offer(range(5))
    rich.messages()
    found = rich.help.offer(rich.job, seen, [range(2), range(2, 4)])
    # THEN it sees it now, and asks for nothing
    assert [one.parts for one in found] == [range(5)]
    assert rich.messages() == []
    assert rich.help.take_new(rich.job, 0, range(2), HOLDER) is None


# --- claims -------------------------------------------------------------------------------------------


def test_a_helper_gets_the_segment_that_it_was_asked_for(rich: HelpWorld) -> None:
    rich.offer(*ranges(3))
    claim = rich.claim(1)
    assert claim.job == rich.job
    assert claim.segment == rich.segments[1]
    lease = Lease("helper", rich.clock.now() + LEASE)
    assert (rich.segments[1].lease, rich.segments[1].claims, rich.segments[1].is_answered) == (lease, 1, True)


def test_a_helper_gets_another_one_if_that_is_taken(rich: HelpWorld) -> None:
    rich.offer(*ranges(3))
    taken = rich.claimed(1)
    assert rich.claimed(1, replace(HELPER, worker_id="second")).number == 0
    rich.help.finish(taken, USED)
    assert rich.claimed(1, replace(HELPER, worker_id="third")).number == 2
    # AND none if all are taken
    assert rich.claim(1).reason == "nothing is left to help with"
    # AND again the first when its lease has ended
    rich.clock.advance(LEASE.total_seconds())
    assert rich.claimed(1).number == 0


def test_a_helper_that_comes_second_takes_the_next_one(
    rich: HelpWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    rich.offer(*ranges(2))
    seen = rich.segments
    rich.claimed(0)
    monkeypatch.setattr(MemorySegmentRepository, "list_segments", lambda *_: seen)
    assert rich.claimed(0, replace(HELPER, worker_id="second")).number == 1
    assert rich.claim(0).segment is None


def test_a_segment_that_was_claimed_too_often_is_left_to_the_holder(rich: HelpWorld) -> None:
    rich.offer(range(1))
    for _ in range(MOST_CLAIMS):
        rich.help.give_back(rich.claimed(), USED)
    assert rich.claim().segment is None
    taken = rich.help.take(rich.segments[0], HOLDER)
    assert taken is not None
    assert taken.claims == MOST_CLAIMS + 1


@pytest.mark.parametrize(
    ("values", "claimant", "fingerprint", "reason"),
    [
        ({"status": JobStatus.PENDING, "lease": None}, HELPER, "f", "the job does not run"),
        ({"status": JobStatus.FAILED, "lease": None}, HELPER, "f", "the job does not run"),
        ({"needs": 3}, replace(HELPER, understands=2), "f", "needs a newer worker"),
        ({}, HELPER, "other", "computed by other models or libraries"),
    ],
)
def test_who_must_not_help_declines_and_the_message_counts_as_received(
    rich: HelpWorld, values: dict[str, Any], claimant: Claimant, fingerprint: str, reason: str
) -> None:
    rich.offer(range(1))
    rich.change(**values)
    assert rich.claim(0, claimant, fingerprint) == HelpClaim(reason)
    (segment,) = rich.segments
    assert (segment.is_answered, segment.claims) == (True, 0)


def test_help_with_a_deleted_job_is_declined(rich: HelpWorld) -> None:
    rich.offer(range(1))
    rich.app.ports.jobs.delete(JOB_ID, expected=Expected(status=JobStatus.RUNNING))
    assert rich.claim() == HelpClaim("unknown job")


def test_help_asked_for_by_a_run_with_other_models_gets_none_of_its_segments(rich: HelpWorld) -> None:
    rich.offer(range(1))
    rich.change(fingerprint={"id": "g"})
    assert rich.claim(0, fingerprint="g").reason == "nothing is left to help with"


# --- the work goes on ---------------------------------------------------------------------------------


def test_a_kept_segment_stays_with_its_helper(rich: HelpWorld) -> None:
    rich.offer(range(3))
    mine = rich.claimed()
    rich.clock.advance(100)
    rich.help.keep(rich.job, mine, LEASE, 2)
    (segment,) = rich.segments
    assert segment.lease == Lease("helper", rich.clock.now() + LEASE)
    assert segment.parts_done == 2


@pytest.mark.parametrize(
    "values",
    [
        {"status": JobStatus.COMPLETED, "lease": None},
        {"status": JobStatus.FAILED, "lease": None},
        {"status": JobStatus.PENDING, "lease": None},
        {"fingerprint": {"id": "g"}},
        {"upload": Upload(key="k", state=UploadState.ACCEPTED, version="v2")},
    ],
    ids=["completed", "failed or cancelled", "given back", "other models", "other video"],
)
def test_a_helper_learns_that_its_run_has_ended(rich: HelpWorld, values: dict[str, Any]) -> None:
    rich.offer(range(3))
    job, mine = rich.job, rich.claimed()
    rich.change(**values)
    with pytest.raises(LeaseLostError):
        rich.help.keep(job, mine, LEASE, 0)


def test_a_helper_learns_that_its_job_was_deleted(rich: HelpWorld) -> None:
    rich.offer(range(3))
    job, mine = rich.job, rich.claimed()
    rich.app.ports.jobs.delete(JOB_ID, expected=Expected(status=JobStatus.RUNNING))
    with pytest.raises(LeaseLostError):
        rich.help.keep(job, mine, LEASE, 0)


def test_a_helper_goes_on_when_another_worker_holds_the_job(rich: HelpWorld) -> None:
    rich.offer(range(3))
    job, mine = rich.job, rich.claimed()
    rich.change(lease=Lease("successor", rich.clock.now() + LEASE), attempt=2, generation=1)
    rich.help.keep(job, mine, LEASE, 1)


def test_a_helper_learns_that_its_segment_was_taken_over(rich: HelpWorld) -> None:
    rich.offer(range(3))
    mine = rich.claimed()
    rich.clock.advance(LEASE.total_seconds())
    assert rich.help.take(rich.segments[0], HOLDER)
    with pytest.raises(LeaseLostError):
        rich.help.keep(rich.job, mine, LEASE, 0)
    ways: Sequence[Callable[[Segment, Usage], None]] = (rich.help.finish, rich.help.give_back)
    for end in ways:
        with pytest.raises(ConflictError):
            end(mine, USED)


def test_the_holder_takes_what_is_free_only(rich: HelpWorld) -> None:
    rich.offer(*ranges(3))
    rich.claimed(0)
    rich.help.finish(rich.claimed(1), USED)
    first, second, third = rich.segments
    assert rich.help.take(first, HOLDER) is None
    assert rich.help.take(second, HOLDER) is None
    assert rich.help.take(second, HOLDER, again=True) is not None
    assert rich.help.take(third, HOLDER) is not None


def test_the_fleet_counts_helpers_as_held_work(rich: HelpWorld) -> None:
    rich.change(progress=Progress(helpers=2), due_at=rich.clock.now() + LEASE)
    assert rich.app.fleet._workload(rich.clock.now()).held == 3
