"""Feed functions from queues, streams and schedules, as Lambda's event source mappings do."""

from __future__ import annotations

import json
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tools.local_stack.functions import FunctionError
from tools.local_stack.template import EventSource, ScheduleSource

Invoke = Callable[[str, Mapping[str, Any]], Any]
_WAIT_S = 1
_STREAM_WAIT_S = 0.25
_SCHEDULED_EVENT = {"detail-type": "Scheduled Event", "source": "aws.events"}


class Poller(threading.Thread, ABC):
    """Calls `poll_once` again and again until it is stopped.

    Parameters
    ----------
    wait_s
        The pause before a poll that does not follow a successful one.
    """

    def __init__(self, function: str, invoke: Invoke, wait_s: float) -> None:
        super().__init__(name=f"poller-{function}", daemon=True)
        self._function, self._invoke, self._wait_s = function, invoke, wait_s
        self._stopped = threading.Event()

    def stop(self) -> None:
        """End after the current poll."""
        self._stopped.set()

    def run(self) -> None:
        """Poll until stopped."""
        successful = False
        while not self._stopped.wait(0 if successful else self._wait_s):
            try:
                successful = self.poll_once()
            except (BotoCoreError, ClientError, FunctionError):
                successful = False

    @abstractmethod
    def poll_once(self) -> bool:
        """Give the function what there is for it, and say whether to poll again without a pause."""


class QueuePoller(Poller):
    """Deletes the messages that its function took, and leaves those that it reports as failed."""

    def __init__(self, source: EventSource, sqs: Any, queue_url: str, invoke: Invoke) -> None:
        super().__init__(source.function, invoke, _WAIT_S)
        self._source, self._sqs, self._queue_url = source, sqs, queue_url

    def poll_once(self) -> bool:
        """Receive one batch; the queue itself waits for messages."""
        answer = self._sqs.receive_message(
            QueueUrl=self._queue_url,
            MaxNumberOfMessages=self._source.batch_size,
            WaitTimeSeconds=_WAIT_S,
            MessageAttributeNames=["All"],
            AttributeNames=["All"],
        )
        if messages := answer.get("Messages", []):
            result = self._invoke(self._function, {"Records": [to_record(one) for one in messages]})
            reported = (result or {}).get("batchItemFailures", []) if self._source.reports_failures else []
            failed = {failure["itemIdentifier"] for failure in reported}
            for message in (one for one in messages if one["MessageId"] not in failed):
                self._sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=message["ReceiptHandle"])
        return True


class StreamPoller(Poller):
    """Reads a table's change stream; a batch that failed comes again from its first failure, as on Lambda."""

    def __init__(self, source: EventSource, streams: Any, stream_arn: str, invoke: Invoke) -> None:
        super().__init__(source.function, invoke, _STREAM_WAIT_S)
        self._source, self._streams, self._arn = source, streams, stream_arn
        self._iterator: str | None = None

    def poll_once(self) -> bool:
        """Read one batch; whether there was one that the function took."""
        self._iterator = self._iterator or self._first_iterator()
        answer = self._streams.get_records(ShardIterator=self._iterator, Limit=self._source.batch_size)
        if not answer["Records"]:
            return False
        event = json.dumps({"Records": answer["Records"]}, default=lambda moment: moment.timestamp())
        result = self._invoke(self._function, json.loads(event))
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


class Scheduler(Poller):
    """Starts one function every so often."""

    def __init__(self, source: ScheduleSource, invoke: Invoke) -> None:
        super().__init__(source.function, invoke, source.every_s)

    def poll_once(self) -> bool:
        """Invoke it; the next time is one period later."""
        self._invoke(self._function, _SCHEDULED_EVENT)
        return False


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
