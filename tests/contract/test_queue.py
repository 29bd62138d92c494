"""One contract for the jobs queue, over memory and SQS FIFO (moto)."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import Any

import pytest
from video_jobs.domain.errors import ReceiptExpiredError
from video_jobs.domain.segments import HelpMessage
from video_jobs.ports import QueueDepth, QueueMessage, QueueService

from tests.contract.conftest import QueueUnderTest
from tests.contract.jobs import JOB_ID

MakeQueue = Callable[[bool], QueueUnderTest]
both_orders = pytest.mark.parametrize("strict", [False, True], ids=["by job", "one line"])


def filled(
    make_queue: MakeQueue, *names: str, strict: bool = False
) -> tuple[QueueService, Callable[[float], None]]:
    """A queue with a message for each name, and what moves its time."""
    made = make_queue(strict)
    queue = made.connect()
    for name in names:
        queue.enqueue(name, 1)
    return queue, made.advance


def let_others_in(frame: FrameType, event: str, _: Any) -> Any:
    """Ends a thread's turn before each line of a queue, so that a missing lock shows at once."""
    if event == "line":
        time.sleep(0)
    return let_others_in if frame.f_code.co_filename.endswith("_queue.py") else None


def taken(queue: QueueService, visibility_s: int = 60) -> QueueMessage:
    message = queue.dequeue(visibility_s=visibility_s)
    assert message is not None
    return message


def bodies(queue: QueueService, count: int) -> list[str | None]:
    messages = [queue.dequeue() for _ in range(count)]
    return [None if message is None else message.body for message in messages]


def test_messages_come_in_order(make_queue: MakeQueue) -> None:
    queue, _ = filled(make_queue, "a", "b", "c")
    assert queue.size() == 3
    first = taken(queue)
    assert (first.body, first.generation, first.receive_count) == ("a", 1, 1)
    assert bodies(queue, 3) == ["b", "c", None]


def test_a_message_not_acknowledged_comes_back_in_its_place(make_queue: MakeQueue) -> None:
    queue, advance = filled(make_queue, "a", "b")
    taken(queue, visibility_s=10)
    advance(11)
    again = taken(queue)
    assert (again.body, again.receive_count) == ("a", 2)
    assert bodies(queue, 2) == ["b", None]


def test_an_acknowledged_message_is_gone_and_its_receipt_lost(make_queue: MakeQueue) -> None:
    queue, advance = filled(make_queue, "a")
    message = taken(queue)
    queue.acknowledge(message)
    advance(3600)
    assert (queue.dequeue(), queue.size()) == (None, 0)
    with pytest.raises(ReceiptExpiredError):
        queue.extend(message, 10)


def test_extending_keeps_a_message_held(make_queue: MakeQueue) -> None:
    queue, advance = filled(make_queue, "a")
    message = taken(queue, visibility_s=10)
    advance(9)
    queue.extend(message, 10)
    advance(9)
    assert queue.dequeue() is None
    advance(2)
    assert taken(queue).body == "a"


def test_a_returned_message_waits_for_its_delay(make_queue: MakeQueue) -> None:
    queue, advance = filled(make_queue, "a")
    queue.return_message(taken(queue), delay_s=5)
    assert queue.dequeue() is None
    advance(6)
    message = taken(queue)
    assert message.receive_count == 2
    queue.return_message(message)
    advance(1)
    assert taken(queue).receive_count == 3


def test_the_same_send_within_five_minutes_is_sent_once(make_queue: MakeQueue) -> None:
    queue, advance = filled(make_queue, "a", "a")
    assert queue.size() == 1
    advance(301)
    queue.enqueue("a", 1)
    queue.enqueue("a", 2)
    assert queue.size() == 3


def test_a_held_message_holds_back_its_job_only(make_queue: MakeQueue) -> None:
    queue, _ = filled(make_queue, "a", "b")
    queue.enqueue("a", 2)
    held = taken(queue)
    assert bodies(queue, 2) == ["b", None]
    queue.acknowledge(held)
    assert taken(queue).generation == 2


def test_messages_that_ask_for_help_are_received_beside_the_job_that_sent_them(make_queue: MakeQueue) -> None:
    # GIVEN a job whose message a worker holds while it asks for help with two segments
    queue, _ = filled(make_queue, JOB_ID)
    held = taken(queue)
    for number in (0, 12):
        queue.ask_for_help(JOB_ID, number, attempt=1)
    queue.enqueue(JOB_ID, 2)
    # THEN others receive both at the same time, but not the job's next message
    messages = [taken(queue), taken(queue)]
    assert [HelpMessage.of_body(one.body) for one in messages] == [(JOB_ID, 0), (JOB_ID, 12)]
    assert [one.generation for one in messages] == [0, 0]
    assert queue.dequeue() is None
    # AND each is acknowledged alone
    for message in (messages[1], held, messages[0]):
        queue.acknowledge(message)
    assert bodies(queue, 2) == [JOB_ID, None]


def test_help_with_a_segment_is_asked_for_once_in_each_attempt(make_queue: MakeQueue) -> None:
    queue, _ = filled(make_queue)
    for attempt in (1, 1, 2):
        queue.ask_for_help(JOB_ID, 0, attempt)
    queue.ask_for_help(JOB_ID, 1, attempt=1)
    assert queue.size() == 3


def test_strict_order_lets_one_message_out_at_a_time(make_queue: MakeQueue) -> None:
    queue, _ = filled(make_queue, "a", "b", strict=True)
    held = taken(queue)
    assert queue.dequeue() is None
    queue.acknowledge(held)
    assert taken(queue).body == "b"


@both_orders
def test_eight_producers_and_consumers_lose_and_repeat_nothing(make_queue: MakeQueue, strict: bool) -> None:
    # GIVEN 8 threads that send and 8 that receive; what was sent and received is noted in order
    made = make_queue(strict)
    total = 80
    sent: list[str] = []
    received: list[str] = []
    sending, give_up_at = threading.Lock(), time.monotonic() + 60
    # In strict order, the queue itself lets nobody receive before the last message is acknowledged.
    receiving = threading.Semaphore(2 if strict else 1)

    def produce(producer: int) -> None:
        queue = made.connect()
        for number in range(producer, total, 8):
            with sending:
                queue.enqueue(f"job-{number}", 1)
                sent.append(f"job-{number}")

    def consume() -> None:
        queue = made.connect()
        while len(received) < total and time.monotonic() < give_up_at:
            with receiving:
                message = queue.dequeue()
                if message is not None:
                    received.append(message.body)
            if message is not None:
                queue.acknowledge(message)

    with ThreadPoolExecutor(16, initializer=sys.settrace, initargs=(let_others_in,)) as pool:
        ends = [pool.submit(produce, number) for number in range(8)]
        ends += [pool.submit(consume) for _ in range(8)]
    # THEN each came once, in the order in which they were sent
    assert [end.exception() for end in ends] == [None] * 16
    assert received == sent
    assert (len(received), made.connect().size()) == (total, 0)


@both_orders
def test_order_holds_within_a_job(make_queue: MakeQueue, strict: bool) -> None:
    queue, _ = filled(make_queue, strict=strict)
    for generation in range(1, 6):
        for job in "ab":
            queue.enqueue(job, generation)
    seen: dict[str, list[int]] = {"a": [], "b": []}
    for _ in range(10):
        message = taken(queue)
        seen[message.body].append(message.generation)
        queue.acknowledge(message)
    assert seen == {"a": [1, 2, 3, 4, 5], "b": [1, 2, 3, 4, 5]}


def test_the_depth_tells_waiting_messages_from_hidden_ones(make_queue: MakeQueue) -> None:
    queue, advance = filled(make_queue, "a", "b", "c")
    assert queue.depth() == QueueDepth(visible=3, hidden=0)
    # GIVEN one that is held, and one that was returned with a delay
    held, returned = queue.dequeue(visibility_s=60), queue.dequeue(visibility_s=60)
    assert held is not None
    assert returned is not None
    queue.return_message(returned, 10)
    assert queue.depth() == QueueDepth(visible=1, hidden=2)
    advance(11)
    assert queue.depth() == QueueDepth(visible=2, hidden=1)
    queue.acknowledge(held)
    assert queue.depth() == QueueDepth(visible=2, hidden=0)
