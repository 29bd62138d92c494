"""A process that dies before or after one certain call to AWS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.client import BaseClient


class Crash(BaseException):
    """The process dies here; whatever it would still have called is never called."""


class MortalProcess:
    """Counts every call to AWS of this process, and dies at one of them.

    Attributes
    ----------
    calls
        ``service.Operation`` of each call since `living` was entered.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        self._is_watched = self._is_dead = False
        self._dies_at: int | None = None
        self._dies_after = False
        self._call = BaseClient._make_api_call  # type: ignore[attr-defined]
        # a plain method would be bound to this object, and the client would be lost
        monkeypatch.setattr(BaseClient, "_make_api_call", lambda *call: self._on_call(*call))

    @contextmanager
    def living(self, dies_at: int | None = None, *, after: bool = False) -> Iterator[None]:
        """Watch the calls inside; at call number ``dies_at`` raise `Crash`, before or after its effect."""
        self.calls, self._dies_at, self._dies_after = [], dies_at, after
        self._is_watched, self._is_dead = True, False
        try:
            yield
        finally:
            self._is_watched = False

    @contextmanager
    def another(self) -> Iterator[None]:
        """Calls inside are those of another process, which lives."""
        is_watched, self._is_watched = self._is_watched, False
        try:
            yield
        finally:
            self._is_watched = is_watched

    def _on_call(self, client: Any, operation: str, arguments: Any) -> Any:
        if not self._is_watched:
            return self._call(client, operation, arguments)
        if self._is_dead:
            raise Crash
        number = len(self.calls)
        self.calls.append(f"{client.meta.service_model.service_name}.{operation}")
        if number != self._dies_at:
            return self._call(client, operation, arguments)
        self._is_dead = True
        if self._dies_after:
            self._call(client, operation, arguments)
        raise Crash
