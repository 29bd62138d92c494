"""Work on several items at once, in a bounded window, and give the results in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

AHEAD = 2
"""Items taken beyond one a thread: enough that no thread waits for the next to be decoded."""


def ordered_results(items: Iterable[Item], work: Callable[[Item], Result], threads: int) -> Iterator[Result]:
    """``map(work, items)`` by several threads.

    At most ``threads + AHEAD`` items are held at a time, so whoever is slowest sets the pace. An
    exception of ``work`` comes in its item's turn; then, and when the consumer stops early, what has
    not begun is cancelled and what has is waited for.
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
