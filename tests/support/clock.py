"""A clock that only a test moves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import moto.sqs.models
import pytest


class ManualClock:
    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)

    def move_sqs(self, patch: pytest.MonkeyPatch) -> None:
        """The time of moto's queues is this clock's."""
        patch.setattr(moto.sqs.models, "unix_time", lambda: self.now().timestamp())
        patch.setattr(moto.sqs.models, "unix_time_millis", lambda: self.now().timestamp() * 1000)
