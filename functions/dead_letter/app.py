"""Handler of the dead letters of the jobs queue."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext
from video_jobs.adapters.aws.lambda_batch import handle_messages
from video_jobs.bootstrap import application

logger = Logger()


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Fail the job of each dead letter; if a worker holds the job, the message stays in the queue."""
    return handle_messages(event, context, handle_message, logger)


def handle_message(message: SQSRecord) -> None:
    """Handle one dead letter."""
    attribute = message.message_attributes["generation"]
    generation = int((attribute.string_value if attribute else None) or "0")
    job_id = message.body.strip()
    logger.append_keys(job_id=job_id)
    job = application().upkeep.bury(job_id, generation)
    if job is None:
        logger.warning("dead letter of no job", action="dead_letter_ignored")
        return
    logger.error("dead letter", action="dead_letter", status=job.status)
