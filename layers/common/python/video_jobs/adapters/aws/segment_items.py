"""The segments of long videos in the state table, each an item of its own."""

from __future__ import annotations

from datetime import datetime
from itertools import starmap
from typing import Any

from pynamodb.attributes import BooleanAttribute, JSONAttribute, NumberAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from video_jobs.adapters.aws.state_item import LeasedItem, bound_model
from video_jobs.adapters.aws.table_errors import table_errors_translated
from video_jobs.adapters.aws.usage_attribute import UsageAttribute
from video_jobs.domain.byte_ranges import ByteRange
from video_jobs.domain.errors import ConflictError
from video_jobs.domain.job import Lease
from video_jobs.domain.segments import SEGMENTS_KEPT, Segment
from video_jobs.domain.usage import Usage

_JOB = "job#"


class SegmentItem(LeasedItem):
    """The attributes of a segment; its job, its run and its number are in its keys."""

    first_part = NumberAttribute()
    part_count = NumberAttribute()
    ranges = JSONAttribute(null=True)
    claims = NumberAttribute()
    parts_done = NumberAttribute()
    is_done = BooleanAttribute()
    is_asked = BooleanAttribute()
    is_answered = BooleanAttribute()
    used = UsageAttribute()


class DynamoDbSegmentRepository:
    """Segments by job, run and number; every write is one conditional call."""

    def __init__(self, table_name: str, region: str) -> None:
        self._model = bound_model(SegmentItem, table_name, region)

    def offer(self, segment: Segment, *, now: datetime) -> None:
        """One PutItem."""
        is_new = self._model.pk.does_not_exist()  # a number is given once in a run
        item = self._model(*_key(segment), **_attributes(segment), expires_at=now + SEGMENTS_KEPT)
        with table_errors_translated():
            item.save(condition=is_new)

    def list_segments(self, job_id: str, run_id: str) -> list[Segment]:
        """One consistent Query; the keys sort by the number."""
        of_run = self._model.sk.startswith(_prefix(run_id))
        with table_errors_translated():
            items = self._model.query(_JOB + job_id, of_run, consistent_read=True)
            return list(map(_to_segment, items))

    def claim(
        self, segment: Segment, *, worker_id: str, until: datetime, now: datetime, again: bool = False
    ) -> Segment:
        """One UpdateItem, which answers with the whole item."""
        model = self._model
        exists = model.pk.exists()  # an update would make the item
        to_do = model.is_done == False  # what is done is done again only on request  # noqa: E712
        is_free = exists & model.lease_is_free(now)
        actions: list[Action] = [
            model.lease_owner.set(worker_id),
            model.lease_expires_at.set(until),
            model.claims.add(1),
            model.is_done.set(False),
        ]
        return self._update(_key(segment), actions, is_free if again else is_free & to_do)

    def keep(self, segment: Segment, *, until: datetime, parts_done: int) -> None:
        """One UpdateItem."""
        model = self._model
        actions: list[Action] = [model.lease_expires_at.set(until), model.parts_done.set(parts_done)]
        self._update(_key(segment), actions, self._held(segment))

    def finish(self, segment: Segment, used: Usage) -> None:
        """One UpdateItem."""
        self._end(segment, [self._model.is_done.set(True)], used)

    def give_back(self, segment: Segment, used: Usage) -> None:
        """One UpdateItem."""
        self._end(segment, [], used)

    def answer(self, job_id: str, run_id: str, number: int) -> None:
        """One UpdateItem."""
        exists = self._model.pk.exists()  # an update would make the item
        key = (_JOB + job_id, _range_key(run_id, number))
        try:
            self._update(key, [self._model.is_answered.set(True)], exists)
        except ConflictError:
            return

    def _end(self, segment: Segment, actions: list[Action], used: Usage) -> None:
        """End the lease; nobody adds to the usage between a claim and its end, so that it can be set."""
        model = self._model
        lease_ends: list[Action] = [model.lease_owner.remove(), model.lease_expires_at.remove()]
        sum_is_kept = model.used.set(used.added_to(segment.used))
        self._update(_key(segment), [*actions, *lease_ends, sum_is_kept], self._held(segment))

    def _held(self, segment: Segment) -> Condition:
        if segment.lease is None:
            raise ConflictError
        same_claim = self._model.claims == segment.claims  # nobody claimed it since
        held_by_me = self._model.lease_owner == segment.lease.worker_id  # it was not ended
        is_mine: Condition = same_claim & held_by_me
        return is_mine

    def _update(self, key: tuple[str, str], actions: list[Action], condition: Condition) -> Segment:
        item = self._model(*key)
        with table_errors_translated():
            item.update(actions=actions, condition=condition)
        return _to_segment(item)


def _prefix(run_id: str) -> str:
    return f"segment#{run_id}#"


def _range_key(run_id: str, number: int) -> str:
    return f"{_prefix(run_id)}{number:06}"


def _key(segment: Segment) -> tuple[str, str]:
    return _JOB + segment.job_id, _range_key(segment.run_id, segment.number)


def _attributes(segment: Segment) -> dict[str, Any]:
    lease = segment.lease
    return {
        "first_part": segment.first_part,
        "part_count": segment.part_count,
        "ranges": segment.ranges,
        "lease_owner": lease and lease.worker_id,
        "lease_expires_at": lease and lease.expires_at,
        "claims": segment.claims,
        "parts_done": segment.parts_done,
        "is_done": segment.is_done,
        "is_asked": segment.is_asked,
        "is_answered": segment.is_answered,
        "used": segment.used,
    }


def _to_segment(item: SegmentItem) -> Segment:
    _, run_id, number = item.sk.split("#")
    owner, expires_at = item.lease_owner, item.lease_expires_at
    return Segment(
        job_id=item.pk.removeprefix(_JOB),
        run_id=run_id,
        number=int(number),
        first_part=int(item.first_part),
        part_count=int(item.part_count),
        ranges=None if item.ranges is None else tuple(starmap(ByteRange, item.ranges)),
        lease=Lease(owner, expires_at) if owner and expires_at else None,
        claims=int(item.claims),
        parts_done=int(item.parts_done),
        is_done=item.is_done,
        is_asked=item.is_asked,
        is_answered=item.is_answered,
        used=item.used,
    )
