"""Threads that keep no program alive: what they wait for may never come."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")


class OutOfTimeError(Exception):
    """A function takes longer than it may."""


def within(seconds: float | None, function: Callable[[], T]) -> T:
    """What a function gives, in a thread of its own, because a slow server can hold up every single read.

    None calls it in this thread, for as long as it takes.

    Raises
    ------
    OutOfTimeError
        If it takes longer; the thread then ends with its connection.
    """
    if seconds is None:
        return function()
    outcome: Future[T] = Future()
    _start(lambda: _settle(outcome, function))
    done, _ = wait([outcome], min(seconds, threading.TIMEOUT_MAX))
    if not done:
        raise OutOfTimeError
    return outcome.result()


def all_of(functions: Sequence[Callable[[], Any]], limit: int, stop: threading.Event) -> list[Any]:
    """What several functions give, at most ``limit`` of them at a time.

    If one fails, or this thread is interrupted, ``stop`` is set and the rest is not waited for: what hangs in
    a connection ends with it.
    """
    outcomes: list[Future[Any]] = [Future() for _ in functions]
    waiting = deque(zip(outcomes, functions, strict=True))
    failures: list[BaseException] = []  # the first is the cause; the others may only have been stopped

    def tried(function: Callable[[], Any]) -> Any:
        try:
            return function()
        except BaseException as error:
            failures.append(error)
            stop.set()  # before this thread or another begins with the next
            raise

    def work() -> None:
        while waiting and not stop.is_set():
            try:
                outcome, function = waiting.popleft()
            except IndexError:  # another thread was faster
                return
            _settle(outcome, partial(tried, function))

    try:
        for _ in range(min(limit, len(functions))):
            _start(work)
        wait(outcomes, return_when=FIRST_EXCEPTION)
        if failures:
            raise failures[0]
        return [one.result() for one in outcomes]
    finally:
        stop.set()


def _settle(outcome: Future[T], function: Callable[[], T]) -> None:
    try:
        outcome.set_result(function())
    except BaseException as error:  # noqa: BLE001 - is raised again where it is waited for
        outcome.set_exception(error)


def _start(function: Callable[[], None]) -> None:
    threading.Thread(target=function, name="video-jobs", daemon=True).start()
