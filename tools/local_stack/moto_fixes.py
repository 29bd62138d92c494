"""Make moto's queues and transactions safe in threads, and its server as strict to browsers as AWS.

moto 5.2.5 walks and rewrites a queue's list of messages without a lock: a message sent while another is
deleted can be lost, and two consumers that receive at the same time can get the same one.

Its transactions copy whole tables, and put the copies back if a condition does not hold: what others wrote
meanwhile is lost.
"""

from __future__ import annotations

import threading
import time
from functools import wraps
from typing import Any

from moto.dynamodb.comparisons import get_filter_expression
from moto.dynamodb.exceptions import TransactionCanceledException
from moto.dynamodb.models import DynamoDBBackend
from moto.moto_server import werkzeug_app
from moto.sqs.models import Queue, SQSBackend

_LOCK = threading.RLock()
_PAUSE_S = 0.05
_MARK = "_is_thread_safe"


def keep_moto_from_allowing_every_origin() -> None:
    """By default moto's server lets pages of every origin call every service."""
    vars(werkzeug_app)["DISABLE_GLOBAL_CORS"] = True


def make_moto_thread_safe() -> None:
    """Put one lock around the queues and one around writes of items; doing it twice changes nothing."""
    if getattr(SQSBackend, _MARK, False):
        return
    for write in ("put_item", "update_item", "delete_item"):
        setattr(DynamoDBBackend, write, _locked(getattr(DynamoDBBackend, write)))
    vars_of_backend: Any = DynamoDBBackend
    vars_of_backend.transact_write_items = _locked(_transact_write_items)
    wrapped = (
        (Queue, "add_message", _locked),
        (Queue, "delete_message", _locked),
        (SQSBackend, "receive_message", _receiving_in_turns),
    )
    for owner, name, wrap in wrapped:
        setattr(owner, name, wrap(getattr(owner, name)))
    setattr(SQSBackend, _MARK, True)


def _locked(method: Any) -> Any:
    @wraps(method)
    def locked(*arguments: Any, **named: Any) -> Any:
        with _LOCK:
            return method(*arguments, **named)

    return locked


def _receiving_in_turns(receive: Any) -> Any:
    """Long polling as many short polls, so that a waiting consumer holds no lock."""

    @wraps(receive)
    def receive_message(
        self: Any, queue_name: str, count: int, wait_seconds_timeout: int, *rest: Any, **named: Any
    ) -> Any:
        ends_at = time.monotonic() + (wait_seconds_timeout or 0)
        while True:
            with _LOCK:
                messages = receive(self, queue_name, count, 0, *rest, **named)
            if messages or time.monotonic() >= ends_at:
                return messages
            time.sleep(_PAUSE_S)

    return receive_message


def _transact_write_items(self: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    """Look at all conditions first, so that nothing has to be put back."""
    operations = [next(iter(item.items())) for item in transact_items]
    failed = [not _condition_holds(self, kind, operation) for kind, operation in operations]
    if any(failed):
        code = "ConditionalCheckFailed"
        raise TransactionCanceledException(
            [(code, "The conditional request failed", None) if one else (None, None, None) for one in failed]
        )
    for kind, operation in operations:
        names = operation.get("ExpressionAttributeNames")
        values = operation.get("ExpressionAttributeValues")
        table = operation["TableName"]
        if kind == "Put":
            self.put_item(table, operation["Item"])
        elif kind == "Delete":
            self.delete_item(table, operation["Key"])
        else:
            self.update_item(
                table,
                operation["Key"],
                update_expression=operation["UpdateExpression"],
                expression_attribute_names=names,
                expression_attribute_values=values,
            )


def _condition_holds(backend: DynamoDBBackend, kind: str, operation: dict[str, Any]) -> bool:
    condition = operation.get("ConditionExpression")
    if condition is None:
        return True
    key = operation.get("Key") or _key_of(backend, operation)
    names, values = operation.get("ExpressionAttributeNames"), operation.get("ExpressionAttributeValues")
    holds: bool = get_filter_expression(condition, names, values).expr(
        backend.get_item(operation["TableName"], key)
    )
    return holds


def _key_of(backend: DynamoDBBackend, operation: dict[str, Any]) -> dict[str, Any]:
    table = backend.get_table(operation["TableName"])
    names = (table.hash_key_attr, table.range_key_attr)
    return {name: operation["Item"][name] for name in names if name is not None}
