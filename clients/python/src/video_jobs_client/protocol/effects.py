"""The steps that operations are made of: send a request, pause, call a function, do several at once."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeAlias, TypeVar

T = TypeVar("T")


class Body(Protocol):
    """Content of a known size, which can be read again if a request is repeated."""

    @property
    def size_bytes(self) -> int:
        """How much it is."""
        ...

    def chunks(self) -> Iterator[bytes]:
        """All of it from the start, in pieces of moderate size."""
        ...


WrittenCheck: TypeAlias = Callable[[Path, int], None]


@dataclass(frozen=True, slots=True)
class Request:
    """A request, as often as it may be sent.

    Attributes
    ----------
    params
        The query; values that are None are left out.
    content
        The body.
    is_signed
        The URL carries its own signature: no token is sent, and redirects are followed.
    target
        Where the body of an answer with status 200 is written to; None keeps it in memory.
    check
        Raises an error if what was written to a path, so many bytes, is not the whole body; the target then
        stays as it was.
    timeout_s
        How long connecting, and each pause of the answer, may take.
    is_repeatable
        Sending it twice does no harm, even if the first one was carried out.
    """

    method: str
    url: str
    params: Mapping[str, str | None] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | Body | None = None
    is_signed: bool = False
    target: Path | None = None
    check: WrittenCheck | None = None
    timeout_s: float = 30.0
    is_repeatable: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and to which attempt; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Nothing came back, or not all of it; ``reason`` tells why, without the URL.

    ``was_sent`` is False if the service has certainly not got the request.
    """

    reason: str
    was_sent: bool = True


@dataclass(frozen=True, slots=True)
class Send:
    """Send a request; gives an `Answer` or `NoAnswer`. ``within_s`` is the time for all of it."""

    request: Request
    within_s: float | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """Do nothing for some seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Call:
    """Call a function that takes long, such as one that reads a file; gives what it returns.

    If the operation is given up, the function goes on: the operation has to end it.
    """

    function: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Together:
    """Run several operations, at most ``limit`` at a time; gives the list of what they return.

    If one fails, the others are stopped, and its error is raised.
    """

    operations: Sequence[Generator[Any, Any, Any]]
    limit: int


Effect: TypeAlias = Send | Pause | Call | Together
Steps: TypeAlias = Generator[Effect, Any, T]
"""An operation that gives a ``T`` in the end."""


def send(request: Request, within_s: float | None = None) -> Steps[Answer | NoAnswer]:
    """Send a request once."""
    outcome: Answer | NoAnswer = yield Send(request, within_s)
    return outcome


def pause(seconds: float) -> Steps[None]:
    """Do nothing for some seconds."""
    yield Pause(seconds)


def call(function: Callable[[], T]) -> Steps[T]:
    """Call a function that takes long."""
    value: T = yield Call(function)
    return value


def together(operations: Sequence[Steps[T]], limit: int) -> Steps[list[T]]:
    """Run several operations at the same time."""
    values: list[T] = yield Together(operations, limit)
    return values
