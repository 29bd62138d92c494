"""One contract for the jobs queue, over memory and SQS FIFO (moto)."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from video_jobs.adapters.local.memory_queue import MemoryQueue
from video_jobs.domain.errors import ReceiptExpiredError
from video_jobs.ports import QueueMessage, QueueService

from tests.contract.conftest import QueueUnderTest

MakeQueue = Callable[[bool], QueueUnderTest]


def taken(queue: QueueService, visibility_s: int = 60) -> QueueMessage:
    message = queue.dequeue(visibility_s=visibility_s)
    assert message is not None
    return message


def bodies(queue: QueueService, count: int) -> list[str | None]:
    messages = [queue.dequeue() for _ in range(count)]
    return [None if message is None else message.body for message in messages]


def test_messages_come_in_order_with_their_generation(make_queue: MakeQueue) -> None:
    queue = make_queue(False).connect()
    for number, name in enumerate("abc"):
        queue.enqueue(name, number)
    assert queue.size() == 3
    first = taken(queue)
    assert (first.body, first.generation, first.receive_count) == ("a", 0, 1)
    assert bodies(queue, 3) == ["b", "c", None]


def test_a_message_not_acknowledged_comes_back_in_its_place(make_queue: MakeQueue) -> None:
    made = make_queue(False)
    queue = made.connect()
    queue.enqueue("a", 1)
    queue.enqueue("b", 1)
    taken(queue, visibility_s=10)
    made.advance(11)
    again = taken(queue)
    assert (again.body, again.receive_count) == ("a", 2)
    assert bodies(queue, 2) == ["b", None]


def test_an_acknowledged_message_is_gone_and_its_receipt_lost(make_queue: MakeQueue) -> None:
    made = make_queue(False)
    queue = made.connect()
    queue.enqueue("a", 1)
    message = taken(queue)
    queue.acknowledge(message)
    made.advance(3600)
    assert (queue.dequeue(), queue.size()) == (None, 0)
    with pytest.raises(ReceiptExpiredError):
        queue.extend(message, 10)


def test_extending_keeps_a_message_held(make_queue: MakeQueue) -> None:
    made = make_queue(False)
    queue = made.connect()
    queue.enqueue("a", 1)
    message = taken(queue, visibility_s=10)
    made.advance(9)
    queue.extend(message, 10)
    made.advance(9)
    assert queue.dequeue() is None
    made.advance(2)
    assert taken(queue).body == "a"


def test_a_returned_message_waits_for_its_delay(make_queue: MakeQueue) -> None:
    made = make_queue(False)
    queue = made.connect()
    queue.enqueue("a", 1)
    queue.return_message(taken(queue), delay_s=5)
    assert queue.dequeue() is None
    made.advance(6)
    message = taken(queue)
    assert message.receive_count == 2
    queue.return_message(message)
    made.advance(1)
    assert taken(queue).receive_count == 3


def test_the_same_send_within_five_minutes_is_sent_once(make_queue: MakeQueue) -> None:
    made = make_queue(False)
    queue = made.connect()
    queue.enqueue("a", 1)
    queue.enqueue("a", 1)
    assert queue.size() == 1
    made.advance(301)
    queue.enqueue("a", 1)
    queue.enqueue("a", 2)
    assert queue.size() == 3


def test_a_held_message_holds_back_its_job_only(make_queue: MakeQueue) -> None:
    queue = make_queue(False).connect()
    queue.enqueue("a", 1)
    queue.enqueue("a", 2)
    queue.enqueue("b", 1)
    held = taken(queue)
    assert bodies(queue, 2) == ["b", None]
    queue.acknowledge(held)
    assert taken(queue).generation == 2


def test_strict_order_lets_one_message_out_at_a_time(make_queue: MakeQueue) -> None:
    queue = make_queue(True).connect()
    queue.enqueue("a", 1)
    queue.enqueue("b", 1)
    held = taken(queue)
    assert queue.dequeue() is None
    queue.acknowledge(held)
    assert taken(queue).body == "b"


@pytest.fixture
def busy_threads() -> Iterator[None]:
    """Threads take turns as often as Python lets them, so that a missing lock is noticed soon."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("busy_threads")
@pytest.mark.parametrize("strict", [False, True], ids=["by job", "one line"])
def test_eight_producers_and_eight_consumers_lose_and_repeat_nothing(
    make_queue: MakeQueue, strict: bool
) -> None:
    # GIVEN 8 threads that send and 8 that receive, all at once
    made = make_queue(strict)
    total = 5_000 if isinstance(made.connect(), MemoryQueue) else 100
    received: list[str] = []

    def produce(producer: int) -> None:
        queue = made.connect()
        for number in range(producer, total, 8):
            queue.enqueue(f"job-{number}", 1)

    def consume(_: int) -> None:
        queue = made.connect()
        while len(received) < total:
            message = queue.dequeue(wait_s=1)
            if message is not None:
                received.append(message.body)
                queue.acknowledge(message)

    # WHEN all have finished
    with ThreadPoolExecutor(16) as pool:
        done = [pool.submit(work, number) for work in (produce, consume) for number in range(8)]
    assert [one.exception() for one in done] == [None] * 16
    # THEN each job came once, and nothing is left
    assert sorted(received) == sorted(f"job-{number}" for number in range(total))
    assert made.connect().size() == 0


@pytest.mark.parametrize("strict", [False, True], ids=["by job", "one line"])
def test_messages_of_many_producers_come_in_the_order_of_their_sending(
    make_queue: MakeQueue, strict: bool
) -> None:
    made, sent, sending = make_queue(strict), list[str](), threading.Lock()

    def produce(producer: int) -> None:
        queue = made.connect()
        for number in range(producer, 80, 8):
            with sending:
                queue.enqueue(f"job-{number}", 1)
                sent.append(f"job-{number}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(produce, range(8)))
    queue = made.connect()
    for body in sent:
        message = taken(queue)
        assert message.body == body
        queue.acknowledge(message)


@pytest.mark.parametrize("strict", [False, True], ids=["by job", "one line"])
def test_order_holds_within_a_job(make_queue: MakeQueue, strict: bool) -> None:
    queue = make_queue(strict).connect()
    for generation in range(1, 6):
        for job in "ab":
            queue.enqueue(job, generation)
    seen: dict[str, list[int]] = {"a": [], "b": []}
    for _ in range(10):
        message = taken(queue)
        seen[message.body].append(message.generation)
        queue.acknowledge(message)
    assert seen == {"a": [1, 2, 3, 4, 5], "b": [1, 2, 3, 4, 5]}
