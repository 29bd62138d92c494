"""Handler of the job table's change stream: queue the webhook of every job that ends and has one."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext
from video_jobs.adapters.aws.lambda_batch import Image, handle_changes
from video_jobs.bootstrap import application

logger = Logger()


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Handle a batch of changes in order; from the first failure on, Lambda sends them again."""
    return handle_changes(event, context, handle_change, logger)


def handle_change(before: Image, after: Image) -> None:
    """Queue the call of one change if there is one to be made."""
    message = application().notify.queue_webhook(before, after)
    if message is not None:
        logger.info("webhook queued", action="webhook_queued")
