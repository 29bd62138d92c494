"""The job table on DynamoDB, through PynamoDB."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from datetime import datetime
from functools import reduce
from itertools import islice
from operator import and_
from typing import Any

from pynamodb.attributes import (
    Attribute,
    JSONAttribute,
    ListAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
)
from pynamodb.constants import STRING
from pynamodb.exceptions import DeleteError, DoesNotExist, PutError, PynamoDBException, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model

from video_jobs.adapters.aws_errors import is_transient
from video_jobs.domain.errors import ConflictError, TransientError
from video_jobs.domain.job import Job, JobStatus, UploadState, from_iso, to_iso
from video_jobs.domain.transitions import Expected, Transition
from video_jobs.ports import JobPosition

SCHEMA_VERSION = 2
"""The number of the newest migration (`video_jobs.migrations`)."""

DUE_SHARDS = 4
"""The due-work index is spread over this many partitions, so that open jobs share no single hot one."""


class IsoTimeAttribute(Attribute[datetime]):
    """A time as ISO 8601 text in UTC, which sorts in the order of time."""

    attr_type = STRING

    def serialize(self, value: datetime) -> str:
        """Time to text."""
        return to_iso(value)

    def deserialize(self, value: str) -> datetime:
        """Text to time."""
        return from_iso(value)


class OwnerIndex(GlobalSecondaryIndex["JobItem"]):
    """A caller's jobs by the time they were made."""

    class Meta:
        index_name = "owner-created_at"
        projection = AllProjection()

    owner = UnicodeAttribute(hash_key=True)
    created_at = IsoTimeAttribute(range_key=True)


class DueIndex(GlobalSecondaryIndex["JobItem"]):
    """Open jobs by the time something is due; ended jobs are not in it."""

    class Meta:
        index_name = "due_shard-due_at"
        projection = AllProjection()

    due_shard = NumberAttribute(hash_key=True)
    due_at = IsoTimeAttribute(range_key=True)


class JobItem(Model):
    """A job as it lies in the table; the fields are those of `domain.job.Job`."""

    job_id = UnicodeAttribute(hash_key=True)
    owner = UnicodeAttribute()
    status = UnicodeAttribute()
    pipeline_id = UnicodeAttribute()
    frame_stride = NumberAttribute()
    max_frames = NumberAttribute(null=True)
    part_frames = NumberAttribute()
    filename = UnicodeAttribute(null=True)
    request_hash = UnicodeAttribute(null=True)
    upload_state = UnicodeAttribute()
    upload_id = UnicodeAttribute(null=True)
    upload_bytes = NumberAttribute(null=True)
    input_path = UnicodeAttribute()
    input_version = UnicodeAttribute(null=True)
    input_bytes = NumberAttribute(null=True)
    output_path = UnicodeAttribute(null=True)
    output_version = UnicodeAttribute(null=True)
    output_index_version = UnicodeAttribute(null=True)
    error_code = UnicodeAttribute(null=True)
    error_message = UnicodeAttribute(null=True)
    created_at = IsoTimeAttribute()
    updated_at = IsoTimeAttribute()
    generation = NumberAttribute()
    queued_at = IsoTimeAttribute(null=True)
    attempt = NumberAttribute()
    failures = NumberAttribute()
    crashes = NumberAttribute()
    lease_owner = UnicodeAttribute(null=True)
    lease_expires_at = IsoTimeAttribute(null=True)
    due_shard = NumberAttribute(null=True)
    due_at = IsoTimeAttribute(null=True)
    frames_done = NumberAttribute()
    frames_total = NumberAttribute(null=True)
    warnings: ListAttribute[Any] = ListAttribute()
    fingerprint = JSONAttribute(null=True)
    callback_url = UnicodeAttribute(null=True)
    webhook = JSONAttribute(null=True)
    webhook_state = UnicodeAttribute(null=True)
    expires_at = TTLAttribute(null=True)
    schema_version = NumberAttribute(default=SCHEMA_VERSION)

    by_owner = OwnerIndex()
    by_due_time = DueIndex()


def job_item_model(table_name: str, region: str) -> type[JobItem]:
    """The model bound to one table."""
    meta = type("Meta", (), {"table_name": table_name, "region": region})
    return type("BoundJobItem", (JobItem,), {"Meta": meta})


class DynamoDbJobRepository:
    """Jobs in one table; every change is one conditional write."""

    def __init__(self, table_name: str, region: str) -> None:
        self._model = job_item_model(table_name, region)

    def save(self, job: Job) -> None:
        """Store a new job."""
        is_new = self._model.job_id.does_not_exist()  # an id is given out once
        with _errors_translated():
            self._model(**_to_attributes(job)).save(condition=is_new)

    def get_by_id(self, job_id: str) -> Job | None:
        """The job, by a consistent read."""
        with _errors_translated():
            try:
                return _to_job(self._model.get(job_id, consistent_read=True))
            except DoesNotExist:
                return None

    def update_status(self, job_id: str, transition: Transition) -> Job:
        """One UpdateItem with one condition."""
        item = self._model(job_id)
        actions = [
            _action(getattr(self._model, name), value)
            for name, value in _changed_attributes(job_id, transition.changes).items()
        ]
        with _errors_translated():
            item.update(actions=actions, condition=_condition(self._model, transition.expected))
        return _to_job(item)

    def list_due(self, now: datetime, limit: int) -> list[Job]:
        """The due-work index, each shard's soonest, merged."""
        due: list[Job] = []
        with _errors_translated():
            for shard in range(DUE_SHARDS):
                until_now = self._model.due_at <= now
                due += map(_to_job, self._model.by_due_time.query(shard, until_now, limit=limit))
        return sorted(due, key=lambda job: job.due_at or now)[:limit]

    def list_by_owner(self, owner: str, limit: int, after: JobPosition | None = None) -> list[Job]:
        """The owner index, backwards."""
        start = None if after is None else _owner_index_key(owner, after)
        with _errors_translated():
            items = self._model.by_owner.query(
                owner, scan_index_forward=False, limit=limit, last_evaluated_key=start
            )
            return [_to_job(item) for item in islice(items, limit)]

    def delete(self, job_id: str, expected: Expected) -> None:
        """One DeleteItem with one condition."""
        is_gone = self._model.job_id.does_not_exist()  # deleting it again is no error
        with _errors_translated():
            self._model(job_id).delete(condition=is_gone | _condition(self._model, expected))


def due_shard_of(job_id: str) -> int:
    """The partition of the due-work index in which an open job lies."""
    return int(job_id[0], 16) % DUE_SHARDS


def _owner_index_key(owner: str, after: JobPosition) -> dict[str, dict[str, str]]:
    return {
        "owner": {"S": owner},
        "created_at": {"S": to_iso(after.created_at)},
        "job_id": {"S": after.job_id},
    }


def _condition(model: type[JobItem], expected: Expected) -> Condition:
    clauses = [model.status == str(expected.status)]  # a job is changed only out of the state it was seen in
    if expected.generation is not None:
        same_generation = model.generation == expected.generation  # nobody sent it anew meanwhile
        clauses.append(same_generation)
    if expected.attempt is not None:
        same_attempt = model.attempt == expected.attempt  # nobody claimed it meanwhile
        clauses.append(same_attempt)
    if expected.lease_owner is not None:
        held_by_me = model.lease_owner == expected.lease_owner  # a worker writes only while it holds the job
        clauses.append(held_by_me)
    if expected.lease_free_at is not None:
        no_lease = model.lease_expires_at.does_not_exist()
        lease_ended = model.lease_expires_at <= expected.lease_free_at
        clauses.append(no_lease | lease_ended)  # a live lease is never broken
    if expected.upload_state is not None:
        same_upload = model.upload_state == str(expected.upload_state)  # an upload is accepted once
        clauses.append(same_upload)
    for state in sorted(expected.webhook_not):
        untried = model.webhook_state.does_not_exist()
        clauses.append(untried | (model.webhook_state != str(state)))  # a delivery is not undone
    return reduce(and_, clauses)


def _action(attribute: Attribute[Any], value: Any) -> Any:
    return attribute.remove() if value is None else attribute.set(value)


def _changed_attributes(job_id: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    attributes = {name: _plain(value) for name, value in changes.items()}
    if "due_at" in changes:
        attributes["due_shard"] = None if changes["due_at"] is None else due_shard_of(job_id)
    return attributes


def _to_attributes(job: Job) -> dict[str, Any]:
    values = {spec.name: getattr(job, spec.name) for spec in fields(Job)}
    return {k: v for k, v in _changed_attributes(job.job_id, values).items() if v is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, JobStatus | UploadState):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def _to_job(item: JobItem) -> Job:
    values = {spec.name: getattr(item, spec.name) for spec in fields(Job)}
    values["status"] = JobStatus(item.status)
    values["upload_state"] = UploadState(item.upload_state)
    values["warnings"] = tuple(item.warnings or ())
    return Job(**values)


@contextmanager
def _errors_translated() -> Iterator[None]:
    try:
        yield
    except (PutError, UpdateError, DeleteError) as exc:
        if exc.cause_response_code == "ConditionalCheckFailedException":
            raise ConflictError from exc
        raise _translated(exc) from exc
    except DoesNotExist:
        raise
    except PynamoDBException as exc:
        raise _translated(exc) from exc


def _translated(error: PynamoDBException) -> Exception:
    if is_transient(error.cause):
        return TransientError(f"DynamoDB did not answer: {error.cause_response_code or 'no connection'}")
    return error
