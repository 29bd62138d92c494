"""Join the requests of several threads into batches of a fixed size."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

LONGEST_WAIT_S = 0.005
"""How long a request waits for others; far less than a batch takes."""


class Batcher(Generic[Item, Result]):
    """Calls ``work`` with exactly ``size`` items at a time, from one thread of its own.

    If there are too few requests, a batch is filled with copies of its last item. Every computation has the
    same shape then, so that the result of an item does not depend on the others.
    """

    def __init__(self, work: Callable[[list[Item]], list[Result]], size: int) -> None:
        self._work = work
        self._size = size
        self._requests: SimpleQueue[tuple[Item, Future[Result]]] = SimpleQueue()
        threading.Thread(target=self._serve, name="batcher", daemon=True).start()

    def result_of(self, item: Item) -> Result:
        """The result of one item; several threads may call this at the same time."""
        answer: Future[Result] = Future()
        self._requests.put((item, answer))
        return answer.result()

    def _serve(self) -> None:
        while True:
            batch = self._next_batch()
            items = [item for item, _ in batch]
            items += items[-1:] * (self._size - len(items))
            try:
                results = self._work(items)
            except Exception as error:  # noqa: BLE001 - each caller gets it
                for _, answer in batch:
                    answer.set_exception(error)
                continue
            for (_, answer), result in zip(batch, results, strict=False):
                answer.set_result(result)

    def _next_batch(self) -> list[tuple[Item, Future[Result]]]:
        batch = [self._requests.get()]
        try:
            while len(batch) < self._size:
                batch.append(self._requests.get(timeout=LONGEST_WAIT_S))
        except Empty:
            pass
        return batch
