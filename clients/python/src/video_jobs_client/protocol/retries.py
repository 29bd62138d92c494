"""When a request is sent again: after a lost connection, 429 and 5xx, with growing pauses."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import count

from video_jobs_client.errors import ServiceUnreachableError, WaitTimeoutError
from video_jobs_client.protocol.effects import Answer, NoAnswer, Request, Steps, pause, send

_AGAIN = frozenset({408, 425, 429})
_NEVER = frozenset({501, 505})
"""A server that cannot do something now will not be able to soon."""
_MOST_DOUBLED = 100


@dataclass(frozen=True, slots=True)
class Retry:
    """What is told before a request is sent again."""

    reason: str
    pause_s: float
    attempt: int


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment that no request and no pause goes beyond."""

    at: float
    clock: Callable[[], float] = time.monotonic

    def left_s(self) -> float:
        """How many seconds are left; raises WaitTimeoutError if none."""
        left = self.at - self.clock()
        if left <= 0:
            raise WaitTimeoutError("The time for waiting is over")
        return left


@dataclass(frozen=True, slots=True)
class Retries:
    """How often and when requests are sent again.

    The pause before the n-th retry is random, up to ``first_s`` x 2^(n-1) seconds, at most ``longest_s``, so
    that many clients that failed together do not come back together. A ``Retry-After`` of the service is
    obeyed if it is at most ``patience_s``; if it is longer, the error is raised at once. What may not be done
    twice is sent again only if it was certainly not done, that is without a connection and after 429.

    Examples
    --------
    >>> from video_jobs_client import Client
    >>> retries = Retries(limit=2, on_retry=lambda retry: print(retry.attempt, retry.reason))
    >>> with Client("http://127.0.0.1:1", retries=retries) as away:
    ...     away.health()
    Traceback (most recent call last):
    video_jobs_client.errors.ServiceUnreachableError: http://127.0.0.1:1 does not answer (no connection)
    """

    limit: int = 5
    first_s: float = 0.5
    longest_s: float = 20.0
    patience_s: float = 60.0
    on_retry: Callable[[Retry], None] | None = None
    random: Callable[[], float] = random.random
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    def pause_s(self, outcome: Answer | NoAnswer, attempt: int) -> float | None:
        """How long to wait after this outcome of the attempt (from 1); None if it is final."""
        if attempt > self.limit or (isinstance(outcome, Answer) and not _may_change(outcome.status)):
            return None
        backoff = self.random() * min(self.longest_s, self.first_s * 2.0 ** min(attempt - 1, _MOST_DOUBLED))
        wished = retry_after_s(outcome, self.now()) if isinstance(outcome, Answer) else None
        if wished is None:
            return backoff
        return wished + backoff if wished <= self.patience_s else None


def retry_after_s(answer: Answer, now: datetime) -> float | None:
    """The answer's ``Retry-After`` in seconds (RFC 9110, 10.2.3: a number or a date); None if it has none."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        at = parsedate_to_datetime(text)
        return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds())
    except (ValueError, OverflowError):
        return None


def ask(request: Request, retries: Retries, deadline: Deadline | None = None) -> Steps[Answer]:
    """Send a request until there is an answer that is final; the answer may be a refusal.

    Raises
    ------
    ServiceUnreachableError
        If there is none.
    WaitTimeoutError
        If the deadline passes before.
    """
    for attempt in count(1):
        outcome = yield from send(request, deadline.left_s() if deadline else None)
        seconds = retries.pause_s(outcome, attempt) if _may_be_repeated(request, outcome) else None
        if seconds is None:
            break
        if deadline is not None and seconds >= deadline.left_s():
            raise WaitTimeoutError("The time for waiting is over, and the service does not answer")
        if retries.on_retry is not None:
            retries.on_retry(Retry(_reason(outcome), seconds, attempt))
        yield from pause(seconds)
    if isinstance(outcome, NoAnswer):
        raise ServiceUnreachableError(f"{_host(request.url)} does not answer ({outcome.reason})")
    return replace(outcome, attempt=attempt)


def _may_be_repeated(request: Request, outcome: Answer | NoAnswer) -> bool:
    """Whether sending the request again cannot do twice what is to be done once."""
    if request.is_repeatable:
        return True
    return not outcome.was_sent if isinstance(outcome, NoAnswer) else outcome.status == 429


def _may_change(status: int) -> bool:
    """Whether the same request may have a better answer later."""
    return status in _AGAIN or (status >= 500 and status not in _NEVER)


def _reason(outcome: Answer | NoAnswer) -> str:
    return outcome.reason if isinstance(outcome, NoAnswer) else f"status {outcome.status}"


def _host(url: str) -> str:
    return "/".join(url.split("/", 3)[:3])
