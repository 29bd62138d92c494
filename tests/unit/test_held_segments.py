"""The holder's view of the segments: which it takes next, and how large new ones are."""

from __future__ import annotations

from typing import Any

import pytest
from video_jobs.adapters.local.memory_segments import MemorySegmentRepository
from video_jobs.domain.errors import TransientError
from video_jobs.domain.job import Lease
from video_jobs.domain.segments import MOST_UNCLAIMED, Segment
from video_jobs.domain.usage import Usage
from video_worker.segments import LOOK_EVERY, HeldSegments, Holder

from tests.support.help_world import HELPER, HOLDER, LEASE, USED, HelpWorld


@pytest.fixture
def world() -> HelpWorld:
    return HelpWorld(running_per_owner=100)


def held(world: HelpWorld, first: int = 0, end: int = 40) -> HeldSegments:
    holder = Holder(world.help, HOLDER, world.clock, world.clock.advance)
    segments = HeldSegments(world.job, holder, first, end)
    segments.begin()
    return segments


def taken(segments: HeldSegments, first_missing: int = 0, *broken: int) -> Segment:
    segment = segments.take(first_missing, set(broken))
    assert segment is not None
    return segment


def tick(world: HelpWorld, segments: HeldSegments) -> None:
    world.clock.advance(LOOK_EVERY.total_seconds())
    segments.tick()


def test_the_first_segments_have_one_part_until_one_was_timed(world: HelpWorld) -> None:
    segments = held(world, first=3)
    assert taken(segments, 3).parts == range(3, 4)
    segments.tick()
    assert [one.parts for one in world.segments] == [range(number, number + 1) for number in range(3, 8)]
    assert [one.is_asked for one in world.segments] == [False, True, True, True, True]


def test_the_next_ones_have_a_minute_of_work_and_the_last_ones_are_small(world: HelpWorld) -> None:
    segments = held(world, end=1000)
    segments.seconds_a_part = 3
    tick(world, segments)
    assert [one.part_count for one in world.segments] == [20, 20, 20, 20]
    # AND of a hundred parts, each has an eighth of what is left
    other = HelpWorld(running_per_owner=100)
    segments = held(other, end=100)
    segments.seconds_a_part = 3
    tick(other, segments)
    assert [one.part_count for one in other.segments] == [12, 11, 9, 8]


def test_all_parts_are_in_exactly_one_segment_at_the_end(world: HelpWorld) -> None:
    segments = held(world, first=2, end=57)
    segments.seconds_a_part = 9
    joined = 2
    while (segment := segments.take(joined, set())) is not None:
        tick(world, segments)
        joined = segment.parts.stop
        segments.finish()
        segments.look()
    parts = [part for one in sorted(world.segments, key=lambda one: one.first_part) for part in one.parts]
    assert parts == list(range(2, 57))


def test_the_holder_works_from_the_front_and_leaves_alone_what_others_have(world: HelpWorld) -> None:
    segments = held(world)
    assert taken(segments).number == 0
    tick(world, segments)
    segments.finish()
    world.claimed(1)
    world.help.finish(world.claimed(2), USED)
    tick(world, segments)
    assert taken(segments).number == 3
    # AND it takes over the first one when the helper is not heard of any more
    segments.finish()
    world.clock.advance(LEASE.total_seconds())
    assert taken(segments).number == 1
    assert segments.mine == world.segments[1]


def test_a_segment_that_somebody_else_claims_in_the_same_moment_is_left_to_him(world: HelpWorld) -> None:
    segments = held(world)
    tick(world, segments)
    world.claimed(0)
    assert taken(segments).number == 1


def test_of_a_successor_that_writes_at_the_same_time_the_first_one_wins(world: HelpWorld) -> None:
    old, new = held(world), held(world)
    assert taken(new).number == 0
    assert old.take(0, set()) is None
    old.look()
    assert taken(old).number == 1


def test_a_done_segment_is_taken_again_only_if_a_part_of_it_is_missing(world: HelpWorld) -> None:
    segments = held(world, end=2)
    tick(world, segments)
    world.help.finish(world.claimed(0), USED)
    world.help.finish(world.claimed(1), USED)
    tick(world, segments)
    assert segments.take(0, set()) is None
    assert taken(segments, 0, 1).number == 1


@pytest.mark.parametrize(
    ("first_missing", "expected"),
    [(3, range(3, 6)), (4, range(4, 6)), (6, range(9, 10)), (9, range(9, 10))],
    ids=["gap", "end of the gap", "no gap", "after all"],
)
def test_parts_before_later_segments_that_are_in_none_are_taken_first(
    world: HelpWorld, first_missing: int, expected: range
) -> None:
    """A segment may be missing: the table drops old ones, and not all at once."""
    for number, parts in ((0, range(3)), (1, range(6, 9))):
        made = world.help.take_new(world.job, number, parts, HELPER)
        assert made is not None
    assert taken(held(world), first_missing).parts == expected


def test_a_resumed_holder_finds_the_segments_of_the_attempt_before(world: HelpWorld) -> None:
    first = held(world)
    mine = taken(first)
    tick(world, first)
    world.claimed(2)
    world.change(attempt=2)
    # WHEN its successor comes while the lease of the first holder is live, then it begins with the next one
    assert taken(held(world)).number == 1
    # AND later with what the first holder left
    world.clock.advance(LEASE.total_seconds())
    assert taken(held(world)).parts == mine.parts


def test_looks_are_a_second_apart(world: HelpWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    segments, looks, look = held(world), list[str](), MemorySegmentRepository.list_segments

    def watched(self: MemorySegmentRepository, *which: str) -> list[Segment]:
        looks.extend(which[:1])
        return look(self, *which)

    monkeypatch.setattr(MemorySegmentRepository, "list_segments", watched)
    for _ in range(21):
        segments.tick()
        world.clock.advance(LOOK_EVERY.total_seconds() / 10)
    assert len(looks) == 3


def test_a_table_that_does_not_answer_is_looked_at_again(
    world: HelpWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    segments = held(world)

    def refuse(*_: object, **__: object) -> Any:
        raise TransientError

    with monkeypatch.context() as patch:
        for name in ("list_segments", "offer", "keep"):
            patch.setattr(MemorySegmentRepository, name, refuse)
        segments.tick()
        assert segments.used() == Usage()
    tick(world, segments)
    assert len(world.segments) == MOST_UNCLAIMED


def test_a_look_keeps_the_segment_of_the_holder(world: HelpWorld) -> None:
    segments = held(world)
    mine = taken(segments)
    segments.part_stored()
    world.clock.advance(100)
    segments.tick()
    (kept, *_) = world.segments
    assert kept.lease == Lease("holder", world.clock.now() + LEASE)
    assert kept.parts_done == 1
    # AND if a helper has taken it, this is no error, nor is its end
    world.clock.advance(LEASE.total_seconds())
    assert world.claimed(mine.number).number == mine.number
    tick(world, segments)
    segments.finish()
    assert not world.segments[0].is_done


def test_what_is_said_to_be_stored(world: HelpWorld) -> None:
    segments = held(world)
    for number, parts in enumerate((range(3), range(3, 6), range(6, 9))):
        assert world.help.take_new(world.job, number, parts, HELPER)
    first, second, _ = world.segments
    world.help.finish(first, USED)
    world.help.hold(second, LEASE, 2)
    segments.look()
    assert [part for part, _ in segments.stored(0)] == [0, 1, 2, 3, 4]
    assert [part for part, _ in segments.stored(2)] == [2, 3, 4]
    assert list(segments.stored(5)) == []


def test_helpers_are_live_leases_of_others(world: HelpWorld) -> None:
    segments = held(world)
    taken(segments)
    tick(world, segments)
    world.claimed(1)
    world.claimed(2)
    segments.look()
    assert segments.helpers == 2
    world.clock.advance(LEASE.total_seconds())
    assert segments.helpers == 0


def test_only_help_since_the_beginning_counts(world: HelpWorld) -> None:
    first = held(world)
    tick(world, first)
    world.help.finish(world.claimed(0), USED)
    world.help.give_back(world.claimed(1), USED)
    assert first.used().frames == 2 * USED.frames
    # WHEN the attempt ends, and the next one begins
    second = held(world)
    assert second.used() == Usage()
    world.help.finish(world.claimed(1), USED)
    assert second.used() == USED
