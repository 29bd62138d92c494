"""Feed functions from queues and schedules, as Lambda's event source mappings do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tools.local_stack.functions import FunctionError
from tools.local_stack.template import QueueSource, ScheduleSource

Invoke = Callable[[str, Mapping[str, Any]], Any]
_WAIT_S = 1
SCHEDULED_EVENT = {"detail-type": "Scheduled Event", "source": "aws.events", "detail": {}}


class QueuePoller(threading.Thread):
    """Polls one queue; deletes what its function took, leaves what it reports as failed."""

    def __init__(self, source: QueueSource, sqs: Any, queue_url: str, invoke: Invoke) -> None:
        super().__init__(name=f"poller-{source.queue}", daemon=True)
        self._source, self._sqs, self._queue_url, self._invoke = source, sqs, queue_url, invoke
        self._stopped = threading.Event()

    def stop(self) -> None:
        """End after the current poll."""
        self._stopped.set()

    def run(self) -> None:
        """Poll until stopped."""
        while not self._stopped.is_set():
            try:
                self.poll_once()
            except (BotoCoreError, ClientError):
                self._stopped.wait(_WAIT_S)

    def poll_once(self) -> None:
        """Receive one batch and hand it to the function."""
        answer = self._sqs.receive_message(
            QueueUrl=self._queue_url,
            MaxNumberOfMessages=self._source.batch_size,
            WaitTimeSeconds=_WAIT_S,
            MessageAttributeNames=["All"],
            AttributeNames=["All"],
        )
        messages = answer.get("Messages", [])
        if not messages:
            return
        try:
            result = self._invoke(self._source.function, {"Records": [to_record(m) for m in messages]})
        except FunctionError:
            return
        failures = (result or {}).get("batchItemFailures", []) if self._source.reports_failures else []
        failed = {failure["itemIdentifier"] for failure in failures}
        for message in messages:
            if message["MessageId"] not in failed:
                self._sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=message["ReceiptHandle"])


class Scheduler(threading.Thread):
    """Starts one function every so often."""

    def __init__(self, source: ScheduleSource, invoke: Invoke) -> None:
        super().__init__(name=f"schedule-{source.function}", daemon=True)
        self._source, self._invoke = source, invoke
        self._stopped = threading.Event()

    def stop(self) -> None:
        """End at once."""
        self._stopped.set()

    def run(self) -> None:
        """Invoke, wait, invoke."""
        while not self._stopped.wait(self._source.every_s):
            try:
                self._invoke(
                    self._source.function, {"detail-type": "Scheduled Event", "source": "aws.events"}
                )
            except FunctionError:
                continue


def to_record(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message as it stands in the event that Lambda makes."""
    attributes = {
        name: {
            "stringValue": value.get("StringValue"),
            "dataType": value["DataType"],
            "stringListValues": [],
            "binaryListValues": [],
        }
        for name, value in message.get("MessageAttributes", {}).items()
    }
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": attributes,
        "md5OfBody": message.get("MD5OfBody", ""),
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:local",
        "awsRegion": "us-east-1",
    }
