"""Keep how long a completed job took, from which quotes are made."""

from __future__ import annotations

from aws_lambda_powertools import Logger
from video_jobs.application import VideoJobs
from video_jobs.domain.errors import TransientError
from video_jobs.domain.job import Job
from video_jobs.domain.speeds import JobTiming


def record_speed(app: VideoJobs, job: Job, timing: JobTiming, logger: Logger) -> None:
    """Record what the attempt took that completed the job; if that fails, quotes only know one job less."""
    try:
        app.quote.record_speed(job, timing)
    except TransientError as error:
        logger.warning("speed not recorded", action="record_speed_failed", reason=error.message)
