"""One contract for the queue of fetches, over memory and SQS (moto)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import boto3
import pytest
from video_jobs.adapters.aws.sqs_sources import SqsSourceQueue
from video_jobs.adapters.local.memory_sources import MemorySourceQueue
from video_jobs.source_ports import SourceQueue

from tests.support.clock import ManualClock

REGION: Final = "eu-central-1"


@dataclass(frozen=True)
class FetchesUnderTest:
    """``received`` gives the jobs whose messages can be received after so many seconds."""

    queue: SourceQueue
    received: Callable[[float], list[str]]


@pytest.fixture(params=["memory", "sqs"])
def fetches(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> FetchesUnderTest:
    if request.param == "memory":
        memory = MemorySourceQueue()
        return FetchesUnderTest(
            memory, lambda after_s: [job_id for job_id, delay_s in memory.sent if delay_s <= after_s]
        )
    request.getfixturevalue("aws")
    clock = ManualClock()
    clock.move_sqs(monkeypatch)
    client = boto3.client("sqs", region_name=REGION)
    url = client.create_queue(QueueName="sources")["QueueUrl"]

    def received(after_s: float) -> list[str]:
        clock.advance(after_s)
        answer = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        return [message["Body"] for message in answer.get("Messages", [])]

    return FetchesUnderTest(SqsSourceQueue(client, url), received)


def test_a_fetch_that_was_sent_is_received(fetches: FetchesUnderTest) -> None:
    fetches.queue.send("a")
    assert fetches.received(0) == ["a"]


@pytest.mark.parametrize(("after_s", "there"), [(8, []), (11, ["a"])])
def test_a_fetch_that_is_put_off_is_received_later(
    fetches: FetchesUnderTest, after_s: float, there: list[str]
) -> None:
    fetches.queue.send("a", 10)
    assert fetches.received(after_s) == there
