"""Handler of the schedule."""

from __future__ import annotations

from collections import Counter
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from video_jobs.bootstrap import application
from video_jobs.domain.metrics import JOBS_REPAIRED, FleetNumbers

logger = Logger()


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Repair jobs that were left behind, and return how many jobs each action was taken for."""
    done: Counter[str] = Counter()
    for job_id, repair in application().upkeep.repairs():
        logger.info("job repaired", action="job_repaired", job_id=job_id, repair=repair)
        done[repair] += 1
    logger.info("reconciled", action="reconciled", jobs=dict(done))
    record_minute(done.total(), application().upkeep.fleet_numbers())
    return dict(done)


def record_minute(repaired: int, numbers: FleetNumbers) -> None:
    """Write the metrics of this minute; alarms tell when they stop."""
    application().ports.metrics.record({JOBS_REPAIRED: repaired, **numbers.values()})
