"""The queue of webhooks that are still to be delivered, on SQS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from video_jobs.adapters.aws.errors import transient_errors_translated
from video_jobs.domain.webhooks import WebhookMessage

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SqsWebhookQueue:
    """A standard queue: the order of calls does not matter."""

    def __init__(self, client: SQSClient, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, message: WebhookMessage) -> None:
        """Send one call."""
        with transient_errors_translated("SQS"):
            self._client.send_message(QueueUrl=self._queue_url, MessageBody=message.to_json())

    def delay(self, receipt: str, seconds: int) -> None:
        """Change the visibility timeout of the message."""
        with transient_errors_translated("SQS"):
            self._client.change_message_visibility(
                QueueUrl=self._queue_url, ReceiptHandle=receipt, VisibilityTimeout=seconds
            )
