"""The keys of the log lines of one request."""

from __future__ import annotations

from aws_lambda_powertools import Logger

logger = Logger()  # all loggers of the function share their keys


def name_job(job_id: str) -> None:
    """Put the job on every further log line of this request; its id leads from the request to its result."""
    logger.append_keys(job_id=job_id)
