"""Several threads work on items, and the results come in order."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from video_worker.ordered_pool import AHEAD, ordered_results


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_results_come_in_order_from_a_bounded_window(threads: int) -> None:
    taken = 0

    def items() -> Any:
        nonlocal taken
        for number in range(50):
            taken += 1
            yield number

    for given, result in enumerate(ordered_results(items(), lambda number: number * number, threads)):
        assert result == given * given
        assert taken <= given + threads + AHEAD


@pytest.mark.parametrize("threads", [1, 3])
def test_an_error_comes_in_its_turn(threads: int) -> None:
    def work(number: int) -> int:
        if number == 5:
            raise KeyError(number)
        return number

    results = ordered_results(range(100), work, threads)
    assert [next(results) for _ in range(5)] == list(range(5))
    with pytest.raises(KeyError):
        next(results)


def test_a_consumer_that_stops_ends_the_threads() -> None:
    before = threading.active_count()
    results = ordered_results(range(100), lambda number: number, 4)
    next(results)
    results.close()
    assert threading.active_count() == before
