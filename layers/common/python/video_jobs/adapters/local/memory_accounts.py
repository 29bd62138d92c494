"""In-memory counterpart of the owners' accounts, which `MemoryJobRepository` changes together with jobs."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from datetime import datetime

from video_jobs.account_ports import WaitingJob
from video_jobs.domain.accounts import COUNTS, Account, Move, Place, TurnError, minute_of, quota_error
from video_jobs.domain.errors import ConflictError


class MemoryAccounts:
    """Accounts in a dictionary; whoever changes an account and a job holds ``lock``."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._accounts: dict[str, Account] = {}
        self._open: set[tuple[str, str]] = set()
        self._waiting: set[tuple[str, datetime, str]] = set()
        self._submits: Counter[tuple[str, str]] = Counter()
        self._doubted: set[str] = set()

    def read(self, owner: str) -> Account:
        """The account, or an empty one."""
        with self.lock:
            return self._accounts.get(owner, Account())

    def oldest_waiting(self, owner: str) -> WaitingJob | None:
        """The first of the owner's waiting jobs."""
        with self.lock:
            waiting = min((entry[1:] for entry in self._waiting if entry[0] == owner), default=None)
        return None if waiting is None else WaitingJob(*waiting)

    def list_open(self, owner: str) -> list[str]:
        """The ids of the jobs that the account counts."""
        with self.lock:
            return sorted(job_id for name, job_id in self._open if name == owner)

    def put_right(self, owner: str, seen: Account, counts: dict[str, int], now: datetime) -> None:
        """Write the counts if the account is as it was seen."""
        with self.lock:
            if self.read(owner).version != seen.version:
                raise ConflictError
            self._accounts[owner] = replace(seen, version=seen.version + 1, recounted_at=now, **counts)

    def forget(self, owner: str, job_id: str, created_at: datetime | None = None) -> None:
        """List a job no longer."""
        with self.lock:
            if created_at is None:
                self._open.discard((owner, job_id))
            else:
                self._waiting.discard((owner, created_at, job_id))

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
        waiting, is_open = (move.owner, move.created_at, move.job_id), (move.owner, move.job_id)
        (self._waiting.add if move.after is Place.WAITING else self._waiting.discard)(waiting)
        (self._open.discard if move.after is None else self._open.add)(is_open)


def _minute(move: Move) -> tuple[str, str]:
    return move.owner, "" if move.submitted_at is None else minute_of(move.submitted_at)
