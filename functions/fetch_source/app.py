"""Handler of the queue of fetches; each message names a job whose video is to be fetched."""

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
    """Fetch each video, or a part of it; a fetch that goes on later is sent again."""
    return handle_messages(event, context, handle_message, logger)


def handle_message(message: SQSRecord) -> None:
    """Fetch one video; the URL is in the job, and stays out of the log."""
    logger.append_keys(job_id=message.body)
    outcome = application().sources.fetch(message.body)
    logger.info("source handled", action="source_handled", outcome=outcome)
