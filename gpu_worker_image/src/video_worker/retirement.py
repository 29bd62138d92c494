"""End a worker that ECS wants to replace, although it works on a long job."""

from __future__ import annotations

from datetime import datetime, timedelta

import urllib3
from aws_lambda_powertools import Logger
from video_jobs.application import VideoJobs
from video_jobs.domain.errors import FleetError

from video_worker.scale_in_protection import ScaleInProtection
from video_worker.stop_signal import StopSignal

_LOOKED_EVERY = timedelta(minutes=1)
_TIMEOUT_S = 2.0


class Retirement:
    """Stops the worker if its protection is refused, or if its release was replaced long ago.

    The worker then does what a stop signal makes it do: it takes no new job, and gives the running one back
    after the grace period. Its finished parts stay, and another worker continues behind them.

    Parameters
    ----------
    task_definition
        What this worker was started from (`own_task_definition`); if it is not known, no release replaces it.
    """

    def __init__(
        self,
        app: VideoJobs,
        task_definition: str | None,
        protection: ScaleInProtection,
        stop: StopSignal,
        logger: Logger,
    ) -> None:
        self._app, self._task_definition = app, task_definition
        self._protection, self._stop, self._logger = protection, stop, logger
        self._looked_at: datetime | None = None

    def look(self) -> None:
        """Called with each heartbeat of a job."""
        if not self._protection.renew():
            self._retire("protection refused")
        elif self._is_replaced():
            self._retire("release replaced")

    def _is_replaced(self) -> bool:
        now = self._app.ports.clock.now()
        if self._task_definition is None or (self._looked_at and now - self._looked_at < _LOOKED_EVERY):
            return False
        self._looked_at = now
        try:
            return self._app.fleet.has_replaced(self._task_definition)
        except FleetError as error:
            self._logger.warning("fleet not seen", action="retirement", reason=error.message)
            return False

    def _retire(self, reason: str) -> None:
        if not self._stop.requested.is_set():
            self._logger.info("worker retires", action="worker_retires", reason=reason)
        self._stop.request()


def own_task_definition(metadata_uri: str, logger: Logger) -> str | None:
    """What ECS started this task from (``family:revision``), or None if that cannot be told.

    Source: Amazon ECS developer guide, "Task metadata endpoint version 4".
    """
    if not metadata_uri:
        return None
    http = urllib3.PoolManager(timeout=_TIMEOUT_S, retries=False)
    try:
        task = http.request("GET", f"{metadata_uri.rstrip('/')}/task").json()
        return f"{task['Family']}:{task['Revision']}"
    except (urllib3.exceptions.HTTPError, ValueError, KeyError) as error:
        logger.warning("task definition unknown", action="retirement", reason=type(error).__name__)
        return None
