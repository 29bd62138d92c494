"""Work on a limited number of items at the same time, and return the results in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

AHEAD = 2
"""Items that are taken in addition to one per thread, so that no thread waits for a frame to be decoded."""


def ordered_results(
    items: Iterable[Item], work: Callable[[Item], Result], threads: int
) -> Generator[Result, None, None]:
    """``map(work, items)``, with several threads.

    At most ``threads + AHEAD`` items are held at a time, so that a slow consumer slows down the producer. An
    exception of ``work`` is raised in the turn of its item. Then, and also if the consumer stops early, items
    that were not begun are cancelled, and those that were begun are waited for.
    """
    if threads == 1:
        yield from map(work, items)
        return
    waiting: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="frame")
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) >= threads + AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
