"""A program that uses one of the two clients; a test says once what it does with either."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from anyio.from_thread import BlockingPortal, start_blocking_portal
from video_jobs_client import AsyncClient, Client
from video_jobs_client.protocol.retries import Retries, Retry

NOW = datetime(2026, 11, 25, 9, 59, 59, 950_000, tzinfo=UTC)
"""What the clock of a `ClientUser` says: shortly before a full second, the least that a header can name."""


@dataclass
class ClientUser:
    """Calls what the client offers, and waits for it."""

    client: Any
    retried: list[Retry]
    portal: BlockingPortal | None = None

    def do(self, function: Any, *arguments: Any, **named: Any) -> Any:
        """What a method of the client gives."""
        if self.portal is None:
            return function(*arguments, **named)
        return self.portal.call(partial(function, *arguments, **named))

    def every(self, function: Any, *arguments: Any, **named: Any) -> list[Any]:
        """All that an iterator of the client gives."""
        if self.portal is None:
            return list(function(*arguments, **named))

        async def gather() -> list[Any]:
            return [one async for one in function(*arguments, **named)]

        return self.portal.call(gather)

    def job(self, job_id: str) -> Any:
        """A job by its id."""
        return self.do(self.client.jobs.get, job_id)

    @property
    def pauses(self) -> list[float]:
        """How long it paused before each retry."""
        return [one.pause_s for one in self.retried]


@contextmanager
def using(client: Client | AsyncClient, retried: list[Retry]) -> Iterator[ClientUser]:
    """A program with this client, which is closed in the end."""
    with ExitStack() as stack:
        if isinstance(client, Client):
            yield ClientUser(stack.enter_context(client), retried)
            return
        portal = stack.enter_context(start_blocking_portal())
        stack.callback(lambda: portal.call(client.close))
        yield ClientUser(client, retried, portal)


def client_user(url: str, *, is_async: bool, **settings: Any) -> AbstractContextManager[ClientUser]:
    """A program whose client hardly pauses, and not at random."""
    retried: list[Retry] = []
    usual = Retries(first_s=0.001, random=lambda: 1.0, now=lambda: NOW, on_retry=retried.append)
    settings = {"retries": usual, **settings}
    return using((AsyncClient if is_async else Client)(url, **settings), retried)
