"""Handler of S3's ObjectCreated events, which come through SQS."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote_plus

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext
from video_jobs.adapters.aws.lambda_batch import handle_messages
from video_jobs.adapters.aws.lambda_fleet import log_fleet
from video_jobs.bootstrap import application
from video_jobs.domain.job import JobStatus
from video_jobs.domain.keys import job_id_of_video

logger = Logger()


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Accept each upload; SQS delivers a message that failed again."""
    return handle_messages(event, context, handle_message, logger)


def handle_message(message: SQSRecord) -> None:
    """Handle one message: some S3 records, or the test event that S3 sends first."""
    notification = json.loads(message.body)
    if notification.get("Event") == "s3:TestEvent":
        logger.info("test event", action="test_event")
        return
    for record in notification.get("Records", []):
        accept_object(record["s3"]["object"])


def accept_object(s3_object: dict[str, Any]) -> None:
    """Accept one object, and start a worker for its job if none runs; its key arrives URL-encoded."""
    key = unquote_plus(s3_object["key"])
    logger.append_keys(job_id=job_id_of_video(key))
    version = s3_object.get("versionId")
    job = application().intake.accept_upload(key, version)
    if job is None:
        logger.warning("upload without a job", action="upload_ignored")
        return
    if version and job.upload.version not in (None, version):
        logger.warning("the form was used again, for nothing", action="upload_repeated", status=job.status)
        return
    logger.info("upload handled", action="upload_handled", status=job.status)
    if job.status is JobStatus.PENDING:
        log_fleet(application().fleet.wake(), logger)
