"""What functions log of the fleet."""

from __future__ import annotations

from aws_lambda_powertools import Logger

from video_jobs.domain.fleet import FleetAction, FleetOutcome


def log_fleet(outcome: FleetOutcome, logger: Logger) -> None:
    """Log a new number of workers, or why it could not be set."""
    fields = {"action": f"fleet_{outcome.action}", "workers": outcome.workers, "reason": outcome.reason}
    if outcome.action is FleetAction.FAILED:
        logger.warning("number of workers not set", extra=fields)
    elif outcome.action is FleetAction.CHANGED:
        logger.info("number of workers set", extra=fields)
