"""Handler of the schedule."""

from __future__ import annotations

from collections import Counter
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from video_jobs.adapters.aws.lambda_fleet import log_fleet
from video_jobs.bootstrap import application
from video_jobs.domain.metrics import JOBS_REPAIRED
from video_jobs.use_cases.upkeep import HasTime

logger = Logger()

RESERVE_MS = 15_000
"""What is left of the run's time when it begins its last repair: for that one, and for the workers."""


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Repair jobs that were left behind, then set the number of workers.

    Returns
    -------
    dict
        How many jobs each action was taken for.
    """
    try:
        return repair_jobs(lambda: context.get_remaining_time_in_millis() > RESERVE_MS)
    finally:
        log_fleet(application().fleet.resize(), logger)


def repair_jobs(has_time: HasTime) -> dict[str, int]:
    """Repair jobs while there is time; an alarm tells when the metric of it stops."""
    done: Counter[str] = Counter()
    for job_id, repair in application().upkeep.repairs(has_time):
        logger.info("job repaired", action="job_repaired", job_id=job_id, repair=repair)
        done[repair] += 1
    logger.info("reconciled", action="reconciled", jobs=dict(done))
    application().ports.metrics.record({JOBS_REPAIRED: done.total()})
    return dict(done)
