"""Feed functions from queues and schedules, as Lambda's event source mappings do."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tools.local_stack.functions import FunctionError
from tools.local_stack.template import QueueSource, ScheduleSource, StreamSource

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


class StreamPoller(threading.Thread):
    """Polls a table's change stream; a batch that failed comes again from its first failure, as on Lambda."""

    def __init__(self, source: StreamSource, streams: Any, stream_arn: str, invoke: Invoke) -> None:
        super().__init__(name=f"stream-{source.table}", daemon=True)
        self._source, self._streams, self._arn, self._invoke = source, streams, stream_arn, invoke
        self._stopped = threading.Event()
        self._iterator: str | None = None

    def stop(self) -> None:
        """End after the current poll."""
        self._stopped.set()

    def run(self) -> None:
        """Poll until stopped."""
        while not self._stopped.is_set():
            try:
                moved = self.poll_once()
            except (BotoCoreError, ClientError):
                moved = False
            if not moved:
                self._stopped.wait(_WAIT_S / 4)

    def poll_once(self) -> bool:
        """Read one batch and hand it to the function; whether there was one that it took."""
        if self._iterator is None:
            self._iterator = self._first_iterator()
        answer = self._streams.get_records(ShardIterator=self._iterator, Limit=self._source.batch_size)
        records = answer["Records"]
        if not records:
            return False
        event = json.loads(json.dumps({"Records": records}, default=_seconds))
        try:
            result = self._invoke(self._source.function, event)
        except FunctionError:
            return False
        if (result or {}).get("batchItemFailures"):
            return False
        self._iterator = answer["NextShardIterator"]
        return True

    def _first_iterator(self) -> str:
        (shard,) = self._streams.describe_stream(StreamArn=self._arn)["StreamDescription"]["Shards"]
        answer = self._streams.get_shard_iterator(
            StreamArn=self._arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )
        return str(answer["ShardIterator"])


def _seconds(moment: Any) -> float:
    return float(moment.timestamp())


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
