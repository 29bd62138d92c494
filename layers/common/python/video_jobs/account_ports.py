"""The port of the owners' accounts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from video_jobs.domain.accounts import Account


@dataclass(frozen=True, slots=True)
class AccountEntry:
    """An open job in the list that goes with an account; ``key`` is its own in the list."""

    key: str
    job_id: str


class AccountRepository(Protocol):
    """One account for each owner. It changes together with the jobs (`JobRepository`).

    With it goes a list of the owner's open jobs by their places. All reads are consistent.
    """

    def read(self, owner: str) -> Account:
        """The account as it is now; an empty one if the owner has none."""
        ...

    def oldest_waiting(self, owner: str) -> AccountEntry | None:
        """The waiting job that was made first, or None."""
        ...

    def list_open(self, owner: str) -> list[AccountEntry]:
        """All jobs that the account counts."""
        ...

    def list_sent(self, owner: str) -> list[AccountEntry]:
        """The jobs that have a turn."""
        ...

    def put_right(self, owner: str, seen: Account, counts: dict[str, int], now: datetime) -> None:
        """Write what was counted, and the time.

        Raises
        ------
        ConflictError
            If the account was changed since it was ``seen``.
        """
        ...

    def forget(self, owner: str, entry: AccountEntry) -> None:
        """Take a job from the list that does not exist, or is not where the list has it."""
        ...

    def doubt(self, owner: str) -> None:
        """Note that somebody was refused because of the account's numbers."""
        ...

    def list_doubted(self) -> list[str]:
        """Some of the owners of whom `doubt` noted that."""
        ...

    def trust(self, owner: str) -> None:
        """Take the note away."""
        ...
