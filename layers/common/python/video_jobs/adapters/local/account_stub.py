"""Replaced by the accounts."""

from __future__ import annotations

from video_jobs.domain.accounts import Account


class AccountStub:
    """One job is sent."""

    def read(self, owner: str) -> Account:
        """An account."""
        return Account(sent=1)
