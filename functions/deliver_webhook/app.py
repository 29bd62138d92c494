"""Handler of the webhook queue; each message is one call to a receiver."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext
from video_jobs.adapters.aws.lambda_batch import handle_messages
from video_jobs.bootstrap import application
from video_jobs.domain.webhooks import WebhookMessage

logger = Logger()


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Make each call; the queue delivers a call that failed again, after a pause."""
    return handle_messages(event, context, handle_message, logger)


def handle_message(record: SQSRecord) -> None:
    """Make one call."""
    message = WebhookMessage.from_json(record.body)
    logger.append_keys(job_id=message.job_id)
    attempt = int(record.attributes.approximate_receive_count or 1)
    if application().notify.deliver(message, attempt, record.receipt_handle):
        logger.info("webhook delivered", action="webhook_delivered")
    else:
        logger.info("webhook was delivered before", action="webhook_repeated")
