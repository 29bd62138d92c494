"""Handler of the schedule."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from video_jobs.bootstrap import application
from video_jobs.use_cases.fleet import FleetAction

logger = Logger()


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Repair jobs that were left behind, then set the number of workers.

    Returns
    -------
    dict
        How many jobs each action was taken for.
    """
    done = application().upkeep.reconcile()
    logger.info("reconciled", action="reconciled", jobs=dict(done))
    resize_fleet()
    return dict(done)


def resize_fleet() -> None:
    """Ask for as many workers as the work needs; what fails is tried again a minute later."""
    outcome = application().fleet.resize()
    log = logger.warning if outcome.action is FleetAction.FAILED else logger.info
    log("fleet", action=f"fleet_{outcome.action}", workers=outcome.workers, reason=outcome.reason)
