"""The jobs queue on SQS FIFO."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from video_jobs.adapters.aws.errors import error_code, transient_errors_translated
from video_jobs.domain.errors import ReceiptExpiredError
from video_jobs.domain.segments import HelpMessage
from video_jobs.ports import QueueDepth, QueueMessage

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

_ONLY_GROUP = "all"
_LOST_RECEIPT_CODES = frozenset(
    {"ReceiptHandleIsInvalid", "MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight"}
    | {"InvalidParameterValue"}
)


class SqsQueue:
    """A FIFO queue; the body of a message is the job_id, its attribute ``generation`` the generation.

    Each job is a message group of its own, so that jobs run in parallel. With ``strict_order``, all jobs
    are one group, and a job that waits for its retry holds back the jobs behind it. A message that asks for
    help is a group of its own, too, and has generation 0; with ``strict_order``, nobody asks for help.
    """

    def __init__(self, client: SQSClient, queue_url: str, *, strict_order: bool = False) -> None:
        self._client = client
        self._queue_url = queue_url
        self._strict_order = strict_order

    def enqueue(self, job_id: str, generation: int) -> None:
        """Send a job."""
        group = _ONLY_GROUP if self._strict_order else job_id
        self._send(job_id, group, f"{job_id}:{generation}", generation)

    def ask_for_help(self, job_id: str, number: int, attempt: int) -> None:
        """Send a message that asks for help with a segment."""
        body = HelpMessage(job_id, number).body
        self._send(body, body, f"{body}:{attempt}", 0)

    def _send(self, body: str, group: str, send_id: str, generation: int) -> None:
        with transient_errors_translated("SQS"):
            self._client.send_message(
                QueueUrl=self._queue_url,
                MessageBody=body,
                MessageGroupId=group,
                MessageDeduplicationId=send_id,
                MessageAttributes={"generation": {"DataType": "Number", "StringValue": str(generation)}},
            )

    def dequeue(self, *, wait_s: int = 0, visibility_s: int = 60) -> QueueMessage | None:
        """Receive one message with long polling."""
        with transient_errors_translated("SQS"):
            answer = self._client.receive_message(
                QueueUrl=self._queue_url,
                MaxNumberOfMessages=1,
                WaitTimeSeconds=wait_s,
                VisibilityTimeout=visibility_s,
                MessageAttributeNames=["generation"],
                MessageSystemAttributeNames=["ApproximateReceiveCount"],
            )
        messages = answer.get("Messages", [])
        return _to_message(messages[0]) if messages else None

    def size(self) -> int:
        """How many messages are waiting, as SQS estimates."""
        return self.depth().visible

    def depth(self) -> QueueDepth:
        """How many messages are waiting, and how many are hidden, as SQS estimates."""
        with transient_errors_translated("SQS"):
            answer = self._client.get_queue_attributes(
                QueueUrl=self._queue_url,
                AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
            )
        numbers = answer["Attributes"]
        return QueueDepth(
            int(numbers["ApproximateNumberOfMessages"]),
            int(numbers["ApproximateNumberOfMessagesNotVisible"]),
        )

    def acknowledge(self, message: QueueMessage) -> None:
        """Delete the message."""
        try:
            with transient_errors_translated("SQS"):
                self._client.delete_message(QueueUrl=self._queue_url, ReceiptHandle=message.receipt)
        except ClientError as exc:
            raise _lost_receipt(exc) from exc

    def extend(self, message: QueueMessage, visibility_s: int) -> None:
        """Change the visibility timeout of the message."""
        try:
            with transient_errors_translated("SQS"):
                self._client.change_message_visibility(
                    QueueUrl=self._queue_url,
                    ReceiptHandle=message.receipt,
                    VisibilityTimeout=visibility_s,
                )
        except ClientError as exc:
            raise _lost_receipt(exc) from exc

    def return_message(self, message: QueueMessage, delay_s: int = 0) -> None:
        """Make the message visible again ``delay_s`` seconds from now."""
        self.extend(message, delay_s)


def _to_message(raw: MessageTypeDef) -> QueueMessage:
    attribute = raw.get("MessageAttributes", {}).get("generation")
    generation = attribute.get("StringValue", "0") if attribute else "0"
    return QueueMessage(
        body=raw["Body"],
        generation=int(generation) if generation.isdigit() else 0,
        receipt=raw["ReceiptHandle"],
        receive_count=int(raw.get("Attributes", {}).get("ApproximateReceiveCount", "1")),
    )


def _lost_receipt(error: ClientError) -> Exception:
    return ReceiptExpiredError() if error_code(error) in _LOST_RECEIPT_CODES else error
