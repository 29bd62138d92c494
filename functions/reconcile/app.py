"""Handler of the schedule."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from video_jobs.adapters.aws.lambda_fleet import log_fleet
from video_jobs.bootstrap import application

logger = Logger()


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Repair jobs that were left behind, then set the number of workers.

    Returns
    -------
    dict
        How many jobs each action was taken for.
    """
    app = application()
    try:
        done = app.upkeep.reconcile()
        logger.info("reconciled", action="reconciled", jobs=dict(done))
    finally:
        log_fleet(app.fleet.resize(), logger)
    return dict(done)
