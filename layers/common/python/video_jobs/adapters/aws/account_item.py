"""The owners' accounts in the state table.

An owner's items have one partition: his account, one item for each open job, whose sort key tells the job's
place, and one for each minute in which he submitted.
"""

from __future__ import annotations

from datetime import datetime

from pynamodb.attributes import NumberAttribute
from pynamodb.exceptions import DoesNotExist

from video_jobs.account_ports import AccountEntry
from video_jobs.adapters.aws.iso_time import IsoTimeAttribute
from video_jobs.adapters.aws.state_item import StateItem, bound_model
from video_jobs.adapters.aws.table_errors import table_errors_translated
from video_jobs.domain.accounts import COUNTS, Account, Move, Place
from video_jobs.domain.job import to_iso

ACCOUNT = "account"
DOUBTED = "doubted"
_JOB, _MINUTE = "job#", "minute#"
_PLACES = {Place.WAITING: "job#waiting#", Place.SENT: "job#sent#"}
_OTHER_PLACES = "job#open#"


class AccountItem(StateItem):
    """The attributes of an account, and of a minute's ``submits``."""

    open_jobs = NumberAttribute(null=True)
    uploads_awaited = NumberAttribute(null=True)
    bytes_awaited = NumberAttribute(null=True)
    sent = NumberAttribute(null=True)
    version = NumberAttribute(null=True)
    recounted_at = IsoTimeAttribute(null=True)
    submits = NumberAttribute(null=True)


def partition_of(owner: str) -> str:
    """The partition key of an owner's items."""
    return f"owner#{owner}"


def entry_key(move: Move, place: Place) -> str:
    """The sort key of the item of an open job; waiting jobs sort by the time at which they were made."""
    order = f"{to_iso(move.created_at)}#" if place is Place.WAITING else ""
    return f"{_PLACES.get(place, _OTHER_PLACES)}{order}{move.job_id}"


def minute_key(minute: str) -> str:
    """The sort key of the item of a minute."""
    return _MINUTE + minute


class DynamoDbAccountRepository:
    """Reads and corrects accounts; `account_moves` changes them together with jobs."""

    def __init__(self, table_name: str, region: str) -> None:
        self._model = bound_model(AccountItem, table_name, region)

    def read(self, owner: str) -> Account:
        """One consistent GetItem."""
        item = self._item(partition_of(owner), ACCOUNT)
        if item is None:
            return Account()
        counts = {name: int(getattr(item, name) or 0) for name in COUNTS}
        return Account(version=int(item.version or 0), recounted_at=item.recounted_at, **counts)

    def submits(self, owner: str, minute: str) -> int:
        """How often the owner submitted in a minute."""
        item = self._item(partition_of(owner), minute_key(minute))
        return 0 if item is None else int(item.submits or 0)

    def oldest_waiting(self, owner: str) -> AccountEntry | None:
        """One consistent Query for one item."""
        return next(iter(self._entries(owner, _PLACES[Place.WAITING], limit=1)), None)

    def list_open(self, owner: str) -> list[AccountEntry]:
        """One consistent Query; a page holds about 8,000 jobs."""
        return self._entries(owner, _JOB)

    def list_sent(self, owner: str) -> list[AccountEntry]:
        """One consistent Query."""
        return self._entries(owner, _PLACES[Place.SENT])

    def put_right(self, owner: str, seen: Account, counts: dict[str, int], now: datetime) -> None:
        """One UpdateItem, on condition of the version."""
        model = self._model
        unchanged = model.version == seen.version if seen.version else model.version.does_not_exist()
        values = [getattr(model, name).set(counts[name]) for name in COUNTS]
        with table_errors_translated():
            model(partition_of(owner), ACCOUNT).update(
                actions=[*values, model.version.add(1), model.recounted_at.set(now)], condition=unchanged
            )

    def forget(self, owner: str, entry: AccountEntry) -> None:
        """One DeleteItem."""
        with table_errors_translated():
            self._model(partition_of(owner), entry.key).delete()

    def doubt(self, owner: str) -> None:
        """One PutItem."""
        with table_errors_translated():
            self._model(DOUBTED, owner).save()

    def list_doubted(self) -> list[str]:
        """One consistent Query for at most 100 items."""
        return self._keys(DOUBTED, limit=100)

    def trust(self, owner: str) -> None:
        """One DeleteItem."""
        with table_errors_translated():
            self._model(DOUBTED, owner).delete()

    def _item(self, partition: str, key: str) -> AccountItem | None:
        with table_errors_translated():
            try:
                return self._model.get(partition, key, consistent_read=True)
            except DoesNotExist:
                return None

    def _entries(self, owner: str, prefix: str, limit: int | None = None) -> list[AccountEntry]:
        keys = self._keys(partition_of(owner), prefix, limit)
        return [AccountEntry(key, key.rpartition("#")[2]) for key in keys]

    def _keys(self, partition: str, prefix: str = "", limit: int | None = None) -> list[str]:
        """The sort keys that begin so."""
        begins = self._model.sk.startswith(prefix) if prefix else None
        with table_errors_translated():
            found = self._model.query(partition, begins, limit=limit, consistent_read=True)
            return [item.sk for item in found]
