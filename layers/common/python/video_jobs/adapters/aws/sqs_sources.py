"""The queue of fetches that are still to be done, on SQS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from video_jobs.adapters.aws.errors import transient_errors_translated

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SqsSourceQueue:
    """A standard queue: the order of fetches does not matter. A message names the job, never the URL."""

    def __init__(self, client: SQSClient, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, job_id: str, delay_s: int = 0) -> None:
        """Send one fetch."""
        with transient_errors_translated("SQS"):
            self._client.send_message(QueueUrl=self._queue_url, MessageBody=job_id, DelaySeconds=delay_s)
