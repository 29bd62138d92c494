"""The items of the measured speeds in the state table, one for each fingerprint and class of pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pynamodb.connection import TableConnection
from pynamodb.connection.base import MetaTable
from pynamodb.constants import STRING
from pynamodb.exceptions import PynamoDBException
from pynamodb.expressions.operand import Path

from video_jobs.adapters.aws.errors import error_code
from video_jobs.domain.errors import TransientError
from video_jobs.domain.job import from_iso, to_iso
from video_jobs.domain.speeds import SPEEDS_KEPT, Speed

_COUNTER = "n_"
"""Before the name of each counter. Their names are not known beforehand, so there is no model."""

_KEYS = {"pk": "HASH", "sk": "RANGE"}


class DynamoDbSpeedRepository:
    """Counters that DynamoDB adds up, so that workers need not read them."""

    def __init__(self, table_name: str, region: str) -> None:
        described = {
            "TableName": table_name,
            "KeySchema": [{"AttributeName": name, "KeyType": kind} for name, kind in _KEYS.items()],
            "AttributeDefinitions": [{"AttributeName": name, "AttributeType": STRING} for name in _KEYS],
        }
        self._table = TableConnection(table_name, region=region, meta_table=MetaTable(described))

    def add(self, measured: Speed) -> None:
        """One UpdateItem."""
        counted = [Path(_COUNTER + name).add(number) for name, number in measured.counters.items()]
        expires_at = int((measured.measured_at + SPEEDS_KEPT).timestamp())
        actions = [
            *counted,
            Path("texts").add(set(measured.texts)),
            Path("measured_at").set(to_iso(measured.measured_at)),
            Path("expires_at").set(expires_at),
        ]
        with _errors_translated():
            self._table.update_item(
                _pk(measured.pipeline_id), f"{measured.fingerprint}#{measured.size_class}", actions=actions
            )

    def list_speeds(self, pipeline_id: str) -> list[Speed]:
        """One Query for each MiB."""
        with _errors_translated():
            return [_to_speed(pipeline_id, item) for item in self._items(pipeline_id)]

    def _items(self, pipeline_id: str) -> Iterator[Mapping[str, Any]]:
        begin: Mapping[str, Any] | None = None
        while True:
            page = self._table.query(_pk(pipeline_id), exclusive_start_key=begin)
            yield from page["Items"]
            begin = page.get("LastEvaluatedKey")
            if begin is None:
                return


def _pk(pipeline_id: str) -> str:
    return f"speed#{pipeline_id}"


def _to_speed(pipeline_id: str, item: Mapping[str, Any]) -> Speed:
    fingerprint, _, size_class = item["sk"]["S"].rpartition("#")
    return Speed(
        pipeline_id=pipeline_id,
        fingerprint=fingerprint,
        size_class=size_class,
        texts=frozenset(item["texts"]["SS"]),
        measured_at=from_iso(item["measured_at"]["S"]),
        counters={
            name.removeprefix(_COUNTER): int(value["N"])
            for name, value in item.items()
            if name.startswith(_COUNTER)
        },
    )


@contextmanager
def _errors_translated() -> Iterator[None]:
    """Even a missing right is transient: a job whose speed is not kept has ended well."""
    try:
        yield
    except PynamoDBException as exc:
        reason = error_code(exc.cause) or "no connection"
        raise TransientError(f"DynamoDB did not answer: {reason}") from exc
