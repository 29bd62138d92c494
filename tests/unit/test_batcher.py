"""Requests of several threads, put together."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from video_worker.plugins.yolo.batcher import Batcher


def test_every_batch_has_the_one_size_and_every_request_its_own_result() -> None:
    sizes: list[int] = []

    def work(items: list[int]) -> list[int]:
        sizes.append(len(items))
        return [item * item for item in items]

    batcher = Batcher(work, 4)
    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(batcher.result_of, range(50))) == [number * number for number in range(50)]
    assert set(sizes) == {4}


def test_requests_that_come_together_share_a_batch() -> None:
    batches: list[list[int]] = []
    gate = threading.Event()

    def work(items: list[int]) -> list[int]:
        gate.wait(10)
        batches.append(items)
        return items

    batcher = Batcher(work, 3)
    with ThreadPoolExecutor(7) as pool:
        answers = [pool.submit(batcher.result_of, number) for number in range(7)]
        while batcher._requests.qsize() < 4:
            pass
        gate.set()
        assert sorted(answer.result() for answer in answers) == list(range(7))
    assert len(batches) <= 4


def test_an_error_reaches_those_who_asked_and_the_next_are_served() -> None:
    def work(items: list[int]) -> list[int]:
        if 0 in items:
            raise KeyError("zero")
        return items

    batcher = Batcher(work, 1)
    with pytest.raises(KeyError):
        batcher.result_of(0)
    assert batcher.result_of(7) == 7
