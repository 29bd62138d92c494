"""The move of a job in its owner's account: one transaction with the change of the job."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import reduce
from operator import and_
from random import Random
from typing import Any

from pynamodb.connection import Connection
from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from video_jobs.adapters.aws.account_item import (
    ACCOUNT,
    AccountItem,
    DynamoDbAccountRepository,
    entry_key,
    minute_key,
    partition_of,
)
from video_jobs.adapters.aws.state_item import bound_model
from video_jobs.adapters.aws.table_errors import table_errors_translated
from video_jobs.domain.accounts import Move, TurnError, minute_of, quota_error
from video_jobs.domain.errors import ConflictError, TransientError

TRIES = 6
_FIRST_PAUSE_S = 0.03
_CONDITION_FAILED = "ConditionalCheckFailed"
_MINUTE_KEPT = timedelta(days=1)
_MAY_PASS = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})


@dataclass(frozen=True, kw_only=True)
class JobWrite:
    """The write of the job's item: an update by ``actions``; without any, a new item."""

    item: Model
    condition: Condition
    actions: list[Any] | None = None


@dataclass
class _Write:
    """The items of a transaction beside that of the job."""

    deletes: list[AccountItem] = field(default_factory=list)
    puts: list[AccountItem] = field(default_factory=list)
    updates: list[tuple[AccountItem, list[Any], Condition | None]] = field(default_factory=list)


class AccountMoves:
    """Makes moves. Where others change the same items at this moment, it tries again after a pause."""

    def __init__(self, table_name: str, region: str, pause: Callable[[float], None] = time.sleep) -> None:
        self._model = bound_model(AccountItem, table_name, region)
        self._accounts = DynamoDbAccountRepository(table_name, region)
        self._connection, self._pause = Connection(region=region), pause
        self._random = Random()  # noqa: S311 - it only varies pauses

    def make(self, move: Move, job: JobWrite) -> None:
        """Write the job and the account.

        Raises
        ------
        ConflictError
            If the job's condition does not hold.
        TurnError, QuotaError
            If the account does not allow the move.
        TransientError
            If others changed the same items at each try.
        """
        write = self._write_of(move)
        for number in range(TRIES):
            try:
                with table_errors_translated():
                    return self._commit(write, job)
            except _CancelledError as cancelled:
                self._raise_refusal(move, cancelled)
            self._pause(self._random.uniform(0.5, 1.0) * _FIRST_PAUSE_S * 2**number)
        raise TransientError("DynamoDB did not answer: others changed the same account each time")

    def _commit(self, write: _Write, job: JobWrite) -> None:
        try:
            with TransactWrite(connection=self._connection) as transaction:
                for item in write.deletes:
                    transaction.delete(item)
                if job.actions is None:
                    transaction.save(job.item, condition=job.condition)
                else:
                    transaction.update(job.item, job.actions, condition=job.condition)
                for item in write.puts:
                    transaction.save(item)
                for item, actions, condition in write.updates:
                    transaction.update(item, actions, condition=condition)
        except TransactWriteError as exc:
            codes = [reason.code if reason else "" for reason in exc.cancellation_reasons]
            if not codes:
                raise
            # PynamoDB sends deletes first, then puts, then updates.
            of_job = len(write.deletes) + (0 if job.actions is None else len(write.puts))
            raise _CancelledError(codes.pop(of_job), codes) from exc

    def _raise_refusal(self, move: Move, cancelled: _CancelledError) -> None:
        """Raise why the move cannot be made; return if it may be at the next try."""
        if cancelled.of_job == _CONDITION_FAILED:
            raise ConflictError from cancelled
        if _CONDITION_FAILED not in cancelled.of_account:
            if not _MAY_PASS.issuperset({cancelled.of_job, *cancelled.of_account} - {""}):
                raise cancelled
            return
        if move.quotas is None:
            raise TurnError from cancelled
        at = move.submitted_at
        submits = 0 if at is None else self._accounts.submits(move.owner, minute_of(at))
        refusal = quota_error(self._accounts.read(move.owner), submits, move)
        if refusal is not None:
            raise refusal from cancelled
        if move.turns is not None:
            raise TurnError from cancelled

    def _write_of(self, move: Move) -> _Write:
        partition, write = partition_of(move.owner), _Write()
        before, after = (place and entry_key(move, place) for place in (move.before, move.after))
        if before != after:  # a transaction may not write an item twice
            write.deletes += [self._model(partition, key) for key in (before,) if key]
            write.puts += [self._model(partition, key) for key in (after,) if key]
        write.updates.append(self._update_of_account(move))
        if move.quotas is not None and move.submitted_at is not None:
            write.updates.append(self._update_of_minute(move, move.quotas.submits_a_minute))
        return write

    def _update_of_account(self, move: Move) -> tuple[AccountItem, list[Any], Condition | None]:
        model = self._model
        added = [getattr(model, name).add(more) for name, more in move.counts.items() if more]
        clauses = [_at_most(getattr(model, name), limit) for name, limit in move.limits.items()]
        if move.turns is not None and move.needs_all_turns_taken:
            clauses.append(model.sent >= move.turns)  # otherwise nobody would send the job
        condition = reduce(and_, clauses) if clauses else None
        return model(partition_of(move.owner), ACCOUNT), [*added, model.version.add(1)], condition

    def _update_of_minute(self, move: Move, most: int) -> tuple[AccountItem, list[Any], Condition | None]:
        at = move.submitted_at or move.created_at
        item = self._model(partition_of(move.owner), minute_key(minute_of(at)))
        actions = [self._model.submits.add(1), self._model.expires_at.set(at + _MINUTE_KEPT)]
        return item, actions, _at_most(self._model.submits, most - 1)


class _CancelledError(Exception):
    """A transaction that was not made, with the reasons that DynamoDB gave for the job and for the rest."""

    def __init__(self, of_job: str, of_account: list[str]) -> None:
        super().__init__(f"The transaction was cancelled: {of_job} {of_account}")
        self.of_job, self.of_account = of_job, of_account


def _at_most(attribute: Any, limit: int) -> Condition:
    """A count that is not there is 0, so it is too large only for a negative limit."""
    small: Condition = attribute <= limit
    return small if limit < 0 else attribute.does_not_exist() | small
