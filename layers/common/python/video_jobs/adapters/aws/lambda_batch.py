"""Handle a Lambda's batch of messages or of table changes one by one, and log each failure.

Powertools' processor reports failed messages to Lambda, but does not log why they failed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.base import FailureResponse
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

Image = Mapping[str, Any] | None
"""An item of the table at one moment; None if there is none."""


class _LoggingBatchProcessor(BatchProcessor):
    def __init__(self, log: Logger, event_type: EventType) -> None:
        super().__init__(event_type, raise_on_entire_batch_failure=False)
        self._log = log

    def failure_handler(self, record: Any, exception: Any) -> FailureResponse:
        message_id = getattr(record, "message_id", None) or getattr(record, "event_id", None)
        self._log.error("message failed", action="message_failed", message_id=message_id, exc_info=exception)
        return super().failure_handler(record, exception)


def handle_messages(
    event: dict[str, Any],
    context: LambdaContext,
    handle_message: Callable[[SQSRecord], None],
    logger: Logger,
) -> PartialItemFailureResponse:
    """Call ``handle_message`` with each message; SQS delivers those again for which it raised.

    The ``job_id`` that it adds to the log lines stays until the next message, so also on the line that tells
    of its failure.
    """

    def handle(record: SQSRecord) -> None:  # Powertools passes ``record`` by name
        logger.remove_keys(["job_id"])
        handle_message(record)

    return process_partial_response(event, handle, _LoggingBatchProcessor(logger, EventType.SQS), context)


def handle_changes(
    event: dict[str, Any],
    context: LambdaContext,
    handle_change: Callable[[Image, Image], None],
    logger: Logger,
) -> PartialItemFailureResponse:
    """Call ``handle_change`` with the item before and after each change, or None where there is no item.

    Lambda sends the batch again from the first failure on. The log lines have the ``job_id`` of the item.
    """

    def handle(record: DynamoDBRecord) -> None:  # Powertools passes ``record`` by name
        logger.remove_keys(["job_id"])
        change = record.dynamodb
        if change is not None:
            logger.append_keys(job_id=change.keys.get("job_id"))
            handle_change(change.old_image or None, change.new_image or None)

    processor = _LoggingBatchProcessor(logger, EventType.DynamoDBStreams)
    return process_partial_response(event, handle, processor, context)
