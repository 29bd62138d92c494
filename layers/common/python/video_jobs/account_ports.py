"""The port of the owners' accounts."""

from __future__ import annotations

from typing import Protocol

from video_jobs.domain.accounts import Account


class AccountRepository(Protocol):
    """One account for each owner. It changes together with the jobs (`JobRepository`)."""

    def read(self, owner: str) -> Account:
        """The account as it is now (consistent read); an empty one if the owner has none."""
        ...
