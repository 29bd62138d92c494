"""One contract for the segments of long videos, over memory, moto and dynalite."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import timedelta
from decimal import Decimal
from functools import partial

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from pynamodb.exceptions import PynamoDBException
from video_jobs.adapters.aws.segment_items import DynamoDbSegmentRepository
from video_jobs.adapters.local.memory_segments import MemorySegmentRepository
from video_jobs.domain.byte_ranges import ByteRange
from video_jobs.domain.errors import ConflictError, TransientError
from video_jobs.domain.job import Lease
from video_jobs.domain.segments import NOTHING_USED, SEGMENTS_KEPT, Segment
from video_jobs.domain.usage import Usage
from video_jobs.help_ports import SegmentRepository

from tests.contract.conftest import MOTO
from tests.contract.jobs import JOB_ID, LEASE, NOW

OTHER_JOB = "22222222-2222-4222-8222-222222222222"
TICK = timedelta(microseconds=1)
FIRST = Segment(job_id=JOB_ID, run_id="run", number=0, first_part=0, part_count=3)
USED = Usage(compute_ms=1500, frames=7, bytes=20, cost_usd=Decimal("0.000219"))
FULL = Segment(
    job_id=JOB_ID,
    run_id="run",
    number=12,
    first_part=36,
    part_count=3,
    ranges=(ByteRange(0, 9), ByteRange(20, 24)),
    lease=Lease("a", NOW + LEASE),
    claims=2,
    parts_done=1,
    is_done=True,
    is_asked=True,
    is_answered=True,
    used=USED,
)
"""A segment in which nothing has its default."""


@pytest.fixture(params=["memory", MOTO, "dynalite"])
def segments(request: pytest.FixtureRequest) -> SegmentRepository:
    if request.param == "memory":
        return MemorySegmentRepository()
    return DynamoDbSegmentRepository(request.getfixturevalue(f"{request.param}_state_table"), "us-east-1")


def offered(segments: SegmentRepository, *given: Segment) -> None:
    for segment in given or (FIRST,):
        segments.offer(segment, now=NOW)


def only(segments: SegmentRepository) -> Segment:
    (found,) = segments.list_segments(JOB_ID, "run")
    return found


def claimed(segments: SegmentRepository, worker_id: str, *, after: timedelta = timedelta()) -> Segment:
    """A claim by somebody who has seen the segment only when it was new."""
    now = NOW + after
    return segments.claim(FIRST, worker_id=worker_id, until=now + LEASE, now=now)


def ways_to_write(segments: SegmentRepository, segment: Segment) -> list[Callable[[], None]]:
    """What only the newest claimant may do."""
    return [
        partial(segments.keep, segment, until=NOW + 9 * LEASE, parts_done=3),
        partial(segments.finish, segment, USED),
        partial(segments.give_back, segment, USED),
    ]


def test_the_full_segment_has_no_default_left() -> None:
    assert [one.name for one in fields(FULL) if getattr(FULL, one.name) == one.default] == []


@pytest.mark.parametrize("segment", [FULL, FIRST], ids=["full", "new"])
def test_what_is_offered_is_listed_as_it_was(segments: SegmentRepository, segment: Segment) -> None:
    offered(segments, segment)
    assert only(segments) == segment


def test_the_list_has_one_run_only_by_number(segments: SegmentRepository) -> None:
    mine = [replace(FIRST, number=number) for number in (0, 2, 9, 10, 100_000)]
    others = [
        replace(FIRST, job_id=OTHER_JOB),
        replace(FIRST, run_id="run2"),
        replace(FIRST, run_id="ru"),
    ]
    offered(segments, *reversed(mine), *others)
    assert segments.list_segments(JOB_ID, "run") == mine
    assert segments.list_segments(OTHER_JOB, "run") == others[:1]
    assert segments.list_segments(JOB_ID, "r") == []


def test_a_number_is_given_once(segments: SegmentRepository) -> None:
    offered(segments)
    with pytest.raises(ConflictError):
        segments.offer(replace(FIRST, first_part=5), now=NOW)
    assert only(segments) == FIRST


def test_one_of_two_claimants_wins(segments: SegmentRepository) -> None:
    offered(segments)
    won = claimed(segments, "a")
    assert won == replace(FIRST, lease=Lease("a", NOW + LEASE), claims=1)
    with pytest.raises(ConflictError):
        claimed(segments, "b", after=LEASE - TICK)
    assert only(segments) == won


@pytest.mark.parametrize("way", range(3), ids=["keep", "finish", "give back"])
@pytest.mark.parametrize("second", ["b", "a"], ids=["another worker", "the same worker"])
def test_an_ended_lease_is_taken_over_and_its_claimant_writes_no_more(
    segments: SegmentRepository, way: int, second: str
) -> None:
    offered(segments)
    lost = claimed(segments, "a")
    won = claimed(segments, second, after=LEASE)
    assert won == replace(lost, lease=Lease(second, NOW + 2 * LEASE), claims=2)
    with pytest.raises(ConflictError):
        ways_to_write(segments, lost)[way]()
    assert only(segments) == won
    # AND the newest claimant may
    ways_to_write(segments, won)[way]()


@pytest.mark.parametrize("way", range(3), ids=["keep", "finish", "give back"])
@pytest.mark.parametrize("end", [1, 2], ids=["finished", "given back"])
def test_nothing_is_written_after_the_end_of_a_claim(segments: SegmentRepository, end: int, way: int) -> None:
    offered(segments)
    mine = claimed(segments, "a")
    ways_to_write(segments, mine)[end]()
    ended = only(segments)
    with pytest.raises(ConflictError):
        ways_to_write(segments, mine)[way]()
    assert only(segments) == ended


@pytest.mark.parametrize("way", range(3), ids=["keep", "finish", "give back"])
def test_nothing_is_written_without_a_claim(segments: SegmentRepository, way: int) -> None:
    offered(segments)
    for segment in (FIRST, replace(FIRST, number=1), FULL):
        with pytest.raises(ConflictError):
            ways_to_write(segments, segment)[way]()
    assert only(segments) == FIRST


def test_a_lease_that_is_kept_lasts_longer(segments: SegmentRepository) -> None:
    offered(segments)
    mine = claimed(segments, "a")
    segments.keep(mine, until=NOW + 2 * LEASE, parts_done=2)
    kept = replace(mine, lease=Lease("a", NOW + 2 * LEASE), parts_done=2)
    assert only(segments) == kept
    with pytest.raises(ConflictError):
        claimed(segments, "b", after=2 * LEASE - TICK)
    # AND its claimant still may end it with the segment that it claimed
    segments.give_back(mine, USED)
    assert only(segments) == replace(kept, lease=None, used=USED)


def test_what_is_given_back_is_claimed_at_once_and_what_was_used_adds_up(segments: SegmentRepository) -> None:
    offered(segments)
    segments.give_back(claimed(segments, "a"), USED)
    again = claimed(segments, "b")
    assert (again.claims, again.used) == (2, USED)
    segments.finish(again, USED)
    assert only(segments) == replace(
        FIRST,
        claims=2,
        is_done=True,
        used=Usage(compute_ms=3000, frames=14, bytes=40, cost_usd=Decimal("0.000438")),
    )


def test_the_cost_of_help_stays_unknown_if_one_of_two_is(segments: SegmentRepository) -> None:
    assert NOTHING_USED.cost_usd == 0
    offered(segments)
    segments.give_back(claimed(segments, "a"), replace(USED, cost_usd=None))
    segments.finish(claimed(segments, "b"), USED)
    assert only(segments).used == Usage(compute_ms=3000, frames=14, bytes=40)


def test_what_is_done_is_claimed_only_if_asked_for(segments: SegmentRepository) -> None:
    offered(segments)
    segments.finish(claimed(segments, "a"), USED)
    with pytest.raises(ConflictError):
        claimed(segments, "b", after=LEASE)
    again = segments.claim(FIRST, worker_id="b", until=NOW + LEASE, now=NOW, again=True)
    assert (again.is_done, again.claims, again.lease) == (False, 2, Lease("b", NOW + LEASE))
    # AND others keep out of it meanwhile, and may go on if it is given back
    with pytest.raises(ConflictError):
        segments.claim(FIRST, worker_id="c", until=NOW + LEASE, now=NOW, again=True)
    segments.give_back(again, USED)
    claimed(segments, "c")


def test_what_does_not_exist_is_not_claimed(segments: SegmentRepository) -> None:
    for again in (False, True):
        with pytest.raises(ConflictError):
            segments.claim(FIRST, worker_id="a", until=NOW + LEASE, now=NOW, again=again)
    assert segments.list_segments(JOB_ID, "run") == []


def test_an_answer_is_recorded_and_nothing_else_changes(segments: SegmentRepository) -> None:
    asked = replace(FULL, number=0, is_answered=False)
    offered(segments, asked)
    segments.answer(JOB_ID, "run", 0)
    assert only(segments) == replace(asked, is_answered=True)


def test_an_answer_about_an_unknown_segment_does_nothing(segments: SegmentRepository) -> None:
    segments.answer(JOB_ID, "run", 0)
    assert segments.list_segments(JOB_ID, "run") == []


def test_the_table_drops_a_segment_in_time(moto_state_table: str) -> None:
    segments = DynamoDbSegmentRepository(moto_state_table, "us-east-1")
    offered(segments)
    segments.finish(claimed(segments, "a"), USED)
    (item,) = boto3.client("dynamodb", region_name="us-east-1").scan(TableName=moto_state_table)["Items"]
    assert item["pk"] == {"S": f"job#{JOB_ID}"}
    assert item["sk"] == {"S": "segment#run#000000"}
    assert item["expires_at"] == {"N": str(int((NOW + SEGMENTS_KEPT).timestamp()))}


def every_call(segments: SegmentRepository) -> list[Callable[[], object]]:
    return [
        partial(segments.list_segments, JOB_ID, "run"),
        partial(segments.offer, FIRST, now=NOW),
        partial(claimed, segments, "a"),
        *ways_to_write(segments, FULL),
        partial(segments.answer, JOB_ID, "run", 0),
    ]


def test_a_table_that_does_not_answer_is_a_transient_error(
    monkeypatch: pytest.MonkeyPatch, aws: None
) -> None:
    def refuse(_: object, operation: str, __: object) -> object:
        raise ClientError({"Error": {"Code": "ThrottlingException"}}, operation)

    monkeypatch.setattr(BaseClient, "_make_api_call", refuse)
    for call in every_call(DynamoDbSegmentRepository("state", "us-east-1")):
        with pytest.raises(TransientError):
            call()


def test_another_error_of_the_table_is_not_hidden(aws: None) -> None:
    for call in every_call(DynamoDbSegmentRepository("nowhere", "us-east-1")):
        with pytest.raises(PynamoDBException):
            call()
