"""The item of the fleet in the state table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from pynamodb.attributes import Attribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import DoesNotExist, PynamoDBException, UpdateError
from pynamodb.expressions.update import Action

from video_jobs.adapters.aws.errors import error_code
from video_jobs.adapters.aws.iso_time import IsoTimeAttribute
from video_jobs.adapters.aws.state_item import LeasedItem, bound_model
from video_jobs.domain.errors import ConflictError, FleetError
from video_jobs.domain.fleet import FleetDecision, FleetRecord

KEY = ("fleet", "workers")


class FleetItem(LeasedItem):
    """The attributes of the fleet's item."""

    workers = NumberAttribute(null=True)
    raised_at = IsoTimeAttribute(null=True)
    spare_since = IsoTimeAttribute(null=True)
    woken_at = IsoTimeAttribute(null=True)
    task_definition = UnicodeAttribute(null=True)
    task_definition_since = IsoTimeAttribute(null=True)


class DynamoDbFleetRepository:
    """The fleet's record in one item; every write is conditional."""

    def __init__(self, table_name: str, region: str) -> None:
        self._model = bound_model(FleetItem, table_name, region)

    def read(self) -> FleetRecord:
        """One consistent GetItem."""
        with _errors_translated():
            try:
                return _to_record(self._model.get(*KEY, consistent_read=True))
            except DoesNotExist:
                return FleetRecord()

    def take(self, holder: str, *, until: datetime, now: datetime) -> FleetRecord:
        """One UpdateItem, which answers with the whole item."""
        lease: list[Action] = [self._model.lease_owner.set(holder), self._model.lease_expires_at.set(until)]
        item = self._model(*KEY)
        with _errors_translated():
            item.update(actions=lease, condition=self._model.lease_is_free(now))
        return _to_record(item)

    def settle(self, holder: str, record: FleetRecord) -> None:
        """One UpdateItem, which removes the lease."""
        model = self._model
        values: list[tuple[Attribute[Any], Any]] = [
            (model.workers, record.decision.workers),
            (model.raised_at, record.decision.raised_at),
            (model.spare_since, record.decision.spare_since),
            (model.woken_at, record.woken_at),
            (model.task_definition, record.task_definition),
            (model.task_definition_since, record.task_definition_since),
            (model.lease_owner, None),
            (model.lease_expires_at, None),
        ]
        held_by_me = model.lease_owner == holder
        with _errors_translated():
            actions = [_action(*value) for value in values]
            model(*KEY).update(actions=actions, condition=held_by_me)


def _to_record(item: FleetItem) -> FleetRecord:
    return FleetRecord(
        decision=FleetDecision(
            workers=int(item.workers or 0), raised_at=item.raised_at, spare_since=item.spare_since
        ),
        woken_at=item.woken_at,
        task_definition=item.task_definition,
        task_definition_since=item.task_definition_since,
    )


def _action(attribute: Attribute[Any], value: Any) -> Action:
    return attribute.remove() if value is None else attribute.set(value)


@contextmanager
def _errors_translated() -> Iterator[None]:
    try:
        yield
    except DoesNotExist:
        raise
    except PynamoDBException as exc:
        code = error_code(exc.cause)
        if isinstance(exc, UpdateError) and code == "ConditionalCheckFailedException":
            raise ConflictError from exc
        raise FleetError(f"DynamoDB did not answer: {code or 'no connection'}") from exc
