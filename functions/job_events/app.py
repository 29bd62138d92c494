"""Handler of the job table's change stream: publish the end of every job."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext
from video_jobs.adapters.aws.lambda_batch import Image, handle_changes
from video_jobs.bootstrap import application
from video_jobs.domain.job_events import JobEvent
from video_jobs.domain.metrics import JOBS_COMPLETED, JOBS_FAILED, error_label

logger = Logger()


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Handle a batch of changes in order; from the first failure on, Lambda sends them again."""
    return handle_changes(event, context, handle_change, logger)


def handle_change(before: Image, after: Image) -> None:
    """Publish one change if it ended a job."""
    event = application().notify.publish(before, after)
    if event is None:
        return
    logger.info("job event sent", action="job_event_sent", kind=event.detail_type)
    count_end(event)


def count_end(event: JobEvent) -> None:
    """Count a job that ended, whoever ended it; if the stream delivers its change again, it counts again."""
    metrics, error, job_id = application().ports.metrics, event.detail["error"], event.detail["job_id"]
    if error is None:
        metrics.record({JOBS_COMPLETED: 1}, job_id=job_id)
    else:
        metrics.record({JOBS_FAILED: 1}, by=error_label(error["code"]), job_id=job_id)
