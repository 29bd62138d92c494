"""The clock of the machine, and random ids."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The current time in UTC."""
        return datetime.now(UTC)


class Uuid4Factory:
    """Random UUIDs."""

    def new_id(self) -> str:
        """A new random UUID."""
        return str(uuid4())
