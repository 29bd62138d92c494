"""The queues: how much waits in them, and their messages as JSON lines."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from tools.rollback.deployment import QUEUE, Aws, Deployment
from tools.rollback.lines import append_lines, read_lines
from tools.rollback.record import Resource, UnfinishedError
from tools.rollback.switches import queue_mappings

FILE_NAME = "messages.jsonl"
SENT_BACK = "messages_sent_back.txt"
HELD_S = 30
"""How long a message is ours while it is written down; after a stop in between it comes again."""

_COUNTS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
_DELAYED = "ApproximateNumberOfMessagesDelayed"
_MOST_A_CALL = 10
Pause = Callable[[float], None]


def waiting(aws: Aws, queue: Resource) -> int:
    """Messages in a queue: visible, in flight and delayed, as SQS estimates them."""
    attributes = _attributes(aws, queue, *_COUNTS, _DELAYED)
    return sum(int(attributes[name]) for name in (*_COUNTS, _DELAYED))


def consumed_queues(aws: Aws, deployment: Deployment) -> list[Resource]:
    """The queues that somebody takes messages from; in the others they wait for the operator."""
    mapped = {mapping["EventSourceArn"] for mapping in queue_mappings(aws, deployment)}
    return [queue for queue in deployment.of(QUEUE) if _is_consumed(aws, queue, mapped)]


def _is_consumed(aws: Aws, queue: Resource, mapped: set[str]) -> bool:
    attributes = _attributes(aws, queue, "QueueArn", "RedrivePolicy")
    return attributes["QueueArn"] in mapped or "RedrivePolicy" in attributes


def _attributes(aws: Aws, queue: Resource, *names: str) -> Mapping[str, str]:
    answer = aws.client("sqs").get_queue_attributes(QueueUrl=queue.physical_id, AttributeNames=list(names))
    attributes: dict[str, str] = answer.get("Attributes", {})
    return attributes


class MessageFile:
    """``messages.jsonl``: a message is on disk before it is deleted from its queue."""

    def __init__(self, aws: Aws, folder: Path) -> None:
        self._sqs = aws.client("sqs")
        self._aws = aws
        self._folder = folder
        self._path = folder / FILE_NAME

    def empty(self, queue: Resource, *, wait_s: float, poll_s: float, pause: Pause = time.sleep) -> int:
        """Move all messages of a queue into the file; answers how many.

        Raises
        ------
        UnfinishedError
            If messages are in somebody else's hands for longer than ``wait_s``.
        """
        moved, ends_at = 0, time.monotonic() + wait_s
        while True:
            messages = self._receive(queue, poll_s)
            if messages:
                moved += self._take(queue, messages)
            elif waiting(self._aws, queue) == 0:
                return moved
            elif time.monotonic() >= ends_at:
                raise UnfinishedError(f"Messages of {queue.logical_id} are still in flight; run again")
            else:
                pause(poll_s)

    def send_back(self, deployment: Deployment) -> None:
        """Send each message of the file to its queue again, once."""
        urls = {queue.logical_id: queue.physical_id for queue in deployment.of(QUEUE)}
        for entry in self.unsent():
            message = entry["message"]
            self._sqs.send_message(QueueUrl=urls[entry["queue"]], **_to_send(message))
            append_lines(self._folder / SENT_BACK, [message["MessageId"]])

    def unsent(self) -> list[dict[str, Any]]:
        """What has not been sent back."""
        done = set(read_lines(self._folder / SENT_BACK))
        return [entry for entry in self.entries() if entry["message"]["MessageId"] not in done]

    def entries(self) -> Iterator[dict[str, Any]]:
        """What the file holds: ``queue`` (its logical id) and ``message``."""
        yield from map(json.loads, read_lines(self._path))

    def _receive(self, queue: Resource, poll_s: float) -> list[dict[str, Any]]:
        answer = self._sqs.receive_message(
            QueueUrl=queue.physical_id,
            MaxNumberOfMessages=_MOST_A_CALL,
            VisibilityTimeout=HELD_S,
            WaitTimeSeconds=min(int(poll_s), 20),
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        )
        messages: list[dict[str, Any]] = answer.get("Messages", [])
        return messages

    def _take(self, queue: Resource, messages: list[dict[str, Any]]) -> int:
        new = [message for message in messages if message["MessageId"] not in self._known]
        append_lines(self._path, [_line(queue, message) for message in new])
        self._known.update(message["MessageId"] for message in new)
        handles = [
            {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
            for number, message in enumerate(messages)
        ]
        answer = self._sqs.delete_message_batch(QueueUrl=queue.physical_id, Entries=handles)
        if answer.get("Failed"):
            raise UnfinishedError(f"Messages of {queue.logical_id} could not be deleted; run again")
        return len(new)

    @cached_property
    def _known(self) -> set[str]:
        return {entry["message"]["MessageId"] for entry in self.entries()}


def _line(queue: Resource, message: Mapping[str, Any]) -> str:
    kept = {name: value for name, value in message.items() if name != "ReceiptHandle"}
    return json.dumps({"queue": queue.logical_id, "message": kept}, sort_keys=True, ensure_ascii=False)


def _to_send(message: Mapping[str, Any]) -> dict[str, Any]:
    sent: dict[str, Any] = {"MessageBody": message["Body"]}
    if message.get("MessageAttributes"):
        sent["MessageAttributes"] = message["MessageAttributes"]
    group = message.get("Attributes", {}).get("MessageGroupId")
    if group is not None:
        # A new deduplication id: SQS would drop the old one's for five minutes after it was first sent.
        sent |= {"MessageGroupId": group, "MessageDeduplicationId": f"{message['MessageId']}:back"}
    return sent
