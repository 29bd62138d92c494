"""The job table on DynamoDB, through PynamoDB."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import reduce
from heapq import merge
from itertools import islice
from operator import and_
from typing import Any

from pynamodb.attributes import Attribute
from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.condition import Condition

from video_jobs.adapters.aws.account_moves import AccountMoves, JobWrite
from video_jobs.adapters.aws.job_attributes import changed_attributes, to_attributes, to_job
from video_jobs.adapters.aws.job_item import UPLOAD_SHARDS, WORK_SHARDS, JobItem, job_item_model
from video_jobs.adapters.aws.table_errors import table_errors_translated
from video_jobs.domain.accounts import Move, Place
from video_jobs.domain.changes import Change, Expected
from video_jobs.domain.errors import ConflictError, SettingError
from video_jobs.domain.job import Job, UploadState, to_iso
from video_jobs.ports import JobPosition

_TICK = timedelta(microseconds=1)
_UPLOADS_A_PAGE = 25
"""Of a shard; few, because a page grows old and a client may be given more time for its upload meanwhile."""


class DynamoDbJobRepository:
    """Jobs in one table; every change is one conditional write.

    Moves need the state table, where the owners' accounts are.
    """

    def __init__(self, table_name: str, region: str, state_table_name: str = "") -> None:
        self._model = job_item_model(table_name, region)
        self._moves = AccountMoves(state_table_name, region) if state_table_name else None

    def save(self, job: Job, move: Move | None = None) -> None:
        """Store a new job; with a move in one transaction."""
        is_new = self._model.job_id.does_not_exist()  # an id is used only once
        item = self._model(**to_attributes(job))
        if move is not None:
            self._make(move, JobWrite(item=item, condition=is_new))
            return
        with table_errors_translated():
            item.save(condition=is_new)

    def get_by_id(self, job_id: str) -> Job | None:
        """The job, by a consistent read."""
        with table_errors_translated():
            try:
                return to_job(self._model.get(job_id, consistent_read=True))
            except DoesNotExist:
                return None

    def list_by_ids(self, job_ids: Iterable[str]) -> list[Job]:
        """BatchGetItem, for a hundred jobs at a time."""
        with table_errors_translated():
            return [to_job(item) for item in self._model.batch_get(job_ids, consistent_read=True)]

    def update_status(self, change: Change) -> Job:
        """One UpdateItem with one condition; with a move one transaction, after which the job is read."""
        item = self._model(change.job_id)
        values = changed_attributes(change.job_id, change.values, change.expected.upload_state)
        actions = [_action(getattr(self._model, name), value) for name, value in values.items()]
        condition = _condition(self._model, change.expected)
        if change.move is None:
            with table_errors_translated():
                item.update(actions=actions, condition=condition)
            return to_job(item)
        stays = _place_is(self._model, change.move.before)  # what the account counts is the stored place
        self._make(change.move, JobWrite(item=item, condition=condition & stays, actions=actions))
        changed = self.get_by_id(change.job_id)
        if changed is None:  # deleted meanwhile
            raise ConflictError
        return changed

    def list_due(self, now: datetime) -> Iterator[Job]:
        """Query the shards of the due-work index, page by page.

        Awaited uploads that version 0.1.0 wrote come with the fetches, because they are in the same shards.
        """
        comes_first = _is_sent(self._model)
        yield from self._due(WORK_SHARDS, now, comes_first)
        yield from self._due(WORK_SHARDS, now, ~comes_first)
        yield from self._due(UPLOAD_SHARDS, now, page_size=_UPLOADS_A_PAGE)

    def _due(
        self, shards: range, now: datetime, is_listed: Condition | None = None, page_size: int | None = None
    ) -> Iterator[Job]:
        """What is due in some shards, the earliest first; the next page of a shard is read when needed."""
        until_now = self._model.due_at <= now
        query = self._model.by_due_time.query
        with table_errors_translated():
            found = [map(to_job, query(shard, until_now, is_listed, page_size=page_size)) for shard in shards]
            yield from merge(*found, key=lambda job: job.due_at or now)

    def list_accepted(self, after: datetime, until: datetime, limit: int) -> list[Job]:
        """Query each shard of the due-work index; DynamoDB's window contains both of its ends."""
        found: list[Job] = []
        window = self._model.due_at.between(after + _TICK, until)
        is_sent = _is_sent(self._model)
        with table_errors_translated():
            for shard in WORK_SHARDS:
                found += map(to_job, self._model.by_due_time.query(shard, window, is_sent, limit=limit))
        return sorted(found, key=lambda job: job.due_at or until)[:limit]

    def count_waiting(self, until: datetime, limit: int) -> int:
        """Query each shard of the due-work index for the ids."""
        waits, due = _place_is(self._model, Place.WAITING), self._model.due_at <= until
        found = 0
        with table_errors_translated():
            for shard in WORK_SHARDS:
                query = self._model.by_due_time.query
                found += sum(1 for _ in query(shard, due, waits, limit=limit, attributes_to_get=["job_id"]))
        return min(limit, found)

    def list_by_owner(self, owner: str, limit: int, after: JobPosition | None = None) -> list[Job]:
        """Query the owner index backwards, so from the newest job on."""
        start = None if after is None else _owner_index_key(owner, after)
        with table_errors_translated():
            items = self._model.by_owner.query(
                owner, scan_index_forward=False, limit=limit, last_evaluated_key=start
            )
            return [to_job(item) for item in islice(items, limit)]

    def delete(self, job_id: str, expected: Expected) -> None:
        """One DeleteItem with one condition."""
        is_gone = self._model.job_id.does_not_exist()  # deleting it again is no error
        with table_errors_translated():
            self._model(job_id).delete(condition=is_gone | _condition(self._model, expected))

    def _make(self, move: Move, job: JobWrite) -> None:
        if self._moves is None:
            raise SettingError("Set the environment variable STATE_TABLE_NAME")
        self._moves.make(move, job)


def _owner_index_key(owner: str, after: JobPosition) -> dict[str, dict[str, str]]:
    return {
        "owner": {"S": owner},
        "created_at": {"S": to_iso(after.created_at)},
        "job_id": {"S": after.job_id},
    }


def _condition(model: type[JobItem], expected: Expected) -> Condition:
    clauses: list[Condition] = [
        model.status == str(expected.status)
    ]  # a job is changed only from the state it was read in
    if expected.generation is not None:
        same_generation = model.generation == expected.generation  # nobody sent it anew meanwhile
        clauses.append(same_generation)
    if expected.attempt is not None:
        same_attempt = model.attempt == expected.attempt  # nobody claimed it meanwhile
        clauses.append(same_attempt)
    if expected.worker_id is not None:
        held_by_me = model.lease_owner == expected.worker_id  # a worker writes only while it holds the job
        clauses.append(held_by_me)
    if expected.lease_free_at is not None:
        no_lease = model.lease_expires_at.does_not_exist()
        lease_ended = model.lease_expires_at <= expected.lease_free_at
        clauses.append(no_lease | lease_ended)  # a live lease is never broken
    if expected.upload_state is not None:
        same_upload = _upload_is(model, expected.upload_state)  # an upload is accepted once
        clauses.append(same_upload)
    if expected.multipart_id is not None:
        same_chunks = model.upload_id == expected.multipart_id  # no upload is begun and left behind
        clauses.append(same_chunks)
    if expected.place is not None:
        clauses.append(_place_is(model, expected.place))  # a turn is taken once
    for state in sorted(expected.delivery_not):
        untried = model.webhook_state.does_not_exist()
        clauses.append(untried | (model.webhook_state != str(state)))  # a delivery is not undone
    return reduce(and_, clauses)


def _upload_is(model: type[JobItem], state: UploadState) -> Condition:
    """Whether the upload has this state, as `job_attributes` stores it."""
    if state is UploadState.FETCHING:
        return model.source.exists()
    stored = model.upload_state == str(state)
    return stored & model.source.does_not_exist() if state is UploadState.ACCEPTED else stored


def _place_is(model: type[JobItem], place: Place | None) -> Condition:
    is_place: Condition = model.place.does_not_exist() if place is None else model.place == str(place)
    return is_place


def _is_sent(model: type[JobItem]) -> Condition:
    """Whether a job has its video and does not wait for a turn (`Job.due_rank` 0)."""
    has_turn = model.place.does_not_exist() | (model.place != str(Place.WAITING))
    is_sent: Condition = has_turn & _upload_is(model, UploadState.ACCEPTED)
    return is_sent


def _action(attribute: Attribute[Any], value: Any) -> Any:
    return attribute.remove() if value is None else attribute.set(value)
