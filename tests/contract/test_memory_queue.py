"""The in-memory queue keeps the rules of SQS FIFO."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from video_jobs.adapters.memory import MemoryQueue
from video_jobs.domain.errors import ReceiptExpiredError


class ManualClock:
    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def take(queue: MemoryQueue) -> str | None:
    message = queue.dequeue()
    return None if message is None else message.body


def test_messages_come_in_the_order_in_which_they_were_sent(clock: ManualClock) -> None:
    queue = MemoryQueue(clock)
    for name in "abc":
        queue.enqueue(name, 1)
    assert [take(queue) for _ in range(4)] == ["a", "b", "c", None]


def test_a_message_not_acknowledged_comes_back_in_its_place(clock: ManualClock) -> None:
    queue = MemoryQueue(clock)
    queue.enqueue("a", 1)
    queue.enqueue("b", 1)
    held = queue.dequeue(visibility_s=10)
    assert held is not None
    clock.advance(10)
    assert [take(queue), take(queue)] == ["a", "b"]
    with pytest.raises(ReceiptExpiredError):
        queue.acknowledge(held)


def test_extending_keeps_a_message_held(clock: ManualClock) -> None:
    queue = MemoryQueue(clock)
    queue.enqueue("a", 1)
    held = queue.dequeue(visibility_s=10)
    assert held is not None
    clock.advance(9)
    queue.extend(held, 10)
    clock.advance(9)
    assert take(queue) is None
    queue.acknowledge(held)
    clock.advance(10)
    assert take(queue) is None


def test_a_returned_message_waits_for_its_delay_and_counts_its_receives(clock: ManualClock) -> None:
    queue = MemoryQueue(clock)
    queue.enqueue("a", 1)
    held = queue.dequeue()
    assert held is not None
    queue.return_message(held, delay_s=5)
    assert (queue.size(), take(queue)) == (1, None)
    clock.advance(5)
    again = queue.dequeue()
    assert again is not None
    assert again.receive_count == 2


def test_the_same_send_within_five_minutes_is_sent_once(clock: ManualClock) -> None:
    queue = MemoryQueue(clock)
    queue.enqueue("a", 1)
    queue.enqueue("a", 1)
    assert queue.size() == 1
    clock.advance(301)
    queue.enqueue("a", 1)
    assert queue.size() == 2


def test_a_held_message_holds_back_its_group_only(clock: ManualClock) -> None:
    queue = MemoryQueue(clock)
    queue.enqueue("a", 1)
    queue.enqueue("a", 2)
    queue.enqueue("b", 1)
    held = queue.dequeue()
    assert held is not None
    assert [take(queue), take(queue)] == ["b", None]
    queue.acknowledge(held)
    assert take(queue) == "a"


def test_strict_order_lets_one_message_out_at_a_time(clock: ManualClock) -> None:
    queue = MemoryQueue(clock, strict_order=True)
    queue.enqueue("a", 1)
    queue.enqueue("b", 1)
    held = queue.dequeue()
    assert held is not None
    assert take(queue) is None
    queue.acknowledge(held)
    assert take(queue) == "b"


def test_eight_producers_and_eight_consumers_lose_and_repeat_nothing(clock: ManualClock) -> None:
    # GIVEN 8 producers that send 10,000 ids in all, and 8 consumers
    queue = MemoryQueue(clock)
    total, threads = 10_000, 8
    received: list[list[str]] = [[] for _ in range(threads)]
    done = threading.Event()

    def produce(producer: int) -> None:
        for number in range(total // threads):
            queue.enqueue(f"{producer}-{number}", 1)

    def consume(consumer: int) -> None:
        while True:
            finished = done.is_set()
            message = queue.dequeue()
            if message is not None:
                received[consumer].append(message.body)
                queue.acknowledge(message)
            elif finished:
                return

    producers = [threading.Thread(target=produce, args=(n,)) for n in range(threads)]
    consumers = [threading.Thread(target=consume, args=(n,)) for n in range(threads)]
    for thread in [*producers, *consumers]:
        thread.start()
    for thread in producers:
        thread.join()
    done.set()
    for thread in consumers:
        thread.join()
    # THEN every id came exactly once, and each consumer saw each producer's ids in order
    everything = [body for bodies in received for body in bodies]
    assert len(everything) == len(set(everything)) == total
    for bodies in received:
        for producer in range(threads):
            numbers = [int(body.split("-")[1]) for body in bodies if body.startswith(f"{producer}-")]
            assert numbers == sorted(numbers)
