"""In-memory counterpart of the owners' accounts, which `MemoryJobRepository` changes together with jobs."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from datetime import datetime

from video_jobs.account_ports import AccountEntry
from video_jobs.domain.accounts import COUNTS, Account, Move, Place, TurnError, minute_of, quota_error
from video_jobs.domain.errors import ConflictError
from video_jobs.domain.job import to_iso


class MemoryAccounts:
    """Accounts in a dictionary; whoever changes an account and a job holds ``lock``."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._accounts: dict[str, Account] = {}
        self._entries: dict[tuple[str, str], tuple[Place, str]] = {}
        self._submits: Counter[tuple[str, str]] = Counter()
        self._doubted: set[str] = set()

    def read(self, owner: str) -> Account:
        """The account, or an empty one."""
        with self.lock:
            return self._accounts.get(owner, Account())

    def oldest_waiting(self, owner: str) -> AccountEntry | None:
        """The first of the owner's waiting jobs."""
        return next(iter(self._listed(owner, Place.WAITING)), None)

    def list_open(self, owner: str) -> list[AccountEntry]:
        """All jobs that the account counts."""
        return self._listed(owner)

    def list_sent(self, owner: str) -> list[AccountEntry]:
        """The jobs that have a turn."""
        return self._listed(owner, Place.SENT)

    def put_right(self, owner: str, seen: Account, counts: dict[str, int], now: datetime) -> None:
        """Write the counts if the account is as it was seen."""
        with self.lock:
            if self.read(owner).version != seen.version:
                raise ConflictError
            self._accounts[owner] = replace(seen, version=seen.version + 1, recounted_at=now, **counts)

    def forget(self, owner: str, entry: AccountEntry) -> None:
        """Take a job from the list."""
        with self.lock:
            self._entries.pop((owner, entry.key), None)

    def doubt(self, owner: str) -> None:
        """Note the owner."""
        with self.lock:
            self._doubted.add(owner)

    def list_doubted(self) -> list[str]:
        """The owners that were noted."""
        with self.lock:
            return sorted(self._doubted)

    def trust(self, owner: str) -> None:
        """Take the note away."""
        with self.lock:
            self._doubted.discard(owner)

    def check(self, move: Move) -> None:
        """Raise `TurnError` or `QuotaError` if the account does not allow the move."""
        account = self.read(move.owner)
        limits = move.limits
        if account.sent > limits.get("sent", account.sent):
            raise TurnError
        if move.turns is not None and move.needs_all_turns_taken and account.sent < move.turns:
            raise TurnError
        refusal = quota_error(account, self._submits[_minute(move)], move)
        if refusal is not None:
            raise refusal

    def make(self, move: Move) -> None:
        """Make a move that was checked."""
        account, counts = self.read(move.owner), move.counts
        changed = {name: getattr(account, name) + counts[name] for name in COUNTS}
        self._accounts[move.owner] = replace(account, version=account.version + 1, **changed)
        self._submits[_minute(move)] += int(move.submitted_at is not None)
        if move.before is not None:
            self._entries.pop((move.owner, _key_of(move, move.before)), None)
        if move.after is not None:
            self._entries[move.owner, _key_of(move, move.after)] = (move.after, move.job_id)

    def _listed(self, owner: str, wanted: Place | None = None) -> list[AccountEntry]:
        with self.lock:
            entries = [
                AccountEntry(key, job_id)
                for (name, key), (place, job_id) in self._entries.items()
                if name == owner and wanted in (None, place)
            ]
        return sorted(entries, key=lambda entry: entry.key)


def _key_of(move: Move, place: Place) -> str:
    """Sorts the waiting jobs by the time at which they were made."""
    order = to_iso(move.created_at) if place is Place.WAITING else ""
    return f"{place} {order} {move.job_id}"


def _minute(move: Move) -> tuple[str, str]:
    return move.owner, "" if move.submitted_at is None else minute_of(move.submitted_at)
