"""The port of the owners' accounts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from video_jobs.domain.accounts import Account


@dataclass(frozen=True, slots=True)
class WaitingJob:
    """A job whose turn to be sent is still to come."""

    created_at: datetime
    job_id: str


class AccountRepository(Protocol):
    """One account for each owner. It changes together with the jobs (`JobRepository`).

    With it is kept which of the owner's jobs are open, and which of them wait. All reads are consistent.
    """

    def read(self, owner: str) -> Account:
        """The account as it is now; an empty one if the owner has none."""
        ...

    def oldest_waiting(self, owner: str) -> WaitingJob | None:
        """The waiting job that was made first, or None."""
        ...

    def list_open(self, owner: str) -> list[str]:
        """The ids of the jobs that the account counts."""
        ...

    def put_right(self, owner: str, seen: Account, counts: dict[str, int], now: datetime) -> None:
        """Write what was counted, and the time.

        Raises
        ------
        ConflictError
            If the account was changed since it was ``seen``.
        """
        ...

    def forget(self, owner: str, job_id: str, created_at: datetime | None = None) -> None:
        """List a job no longer that does not exist: as open, or with its ``created_at`` as waiting."""
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
