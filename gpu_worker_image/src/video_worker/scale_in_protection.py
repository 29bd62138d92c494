"""Keep ECS from stopping this task to scale in while it works on a job.

Source: Amazon ECS developer guide, "Task scale-in protection endpoint" of the container agent.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import timedelta
from math import ceil

import urllib3
from aws_lambda_powertools import Logger

_TIMEOUT_S = 2.0
_LONGEST_MIN = 48 * 60


class ScaleInProtection(AbstractContextManager[None]):
    """Protection is on inside the ``with`` block; if the agent does not answer, that is only logged.

    Parameters
    ----------
    agent_uri
        The value of ``ECS_AGENT_URI``, which ECS sets; if it is empty, nothing happens.
    longest_job
        Protection ends by itself after this time, if the worker dies before switching it off.
    """

    def __init__(self, agent_uri: str, longest_job: timedelta, logger: Logger) -> None:
        self._url = f"{agent_uri.rstrip('/')}/task-protection/v1/state" if agent_uri else ""
        self._expires_min = min(_LONGEST_MIN, max(1, ceil(longest_job.total_seconds() / 60)))
        self._logger = logger
        self._http = urllib3.PoolManager(timeout=_TIMEOUT_S, retries=False)

    def __enter__(self) -> None:
        self._put({"ProtectionEnabled": True, "ExpiresInMinutes": self._expires_min})

    def __exit__(self, *_: object) -> None:
        self._put({"ProtectionEnabled": False})

    def _put(self, state: dict[str, bool | int]) -> None:
        if not self._url:
            return
        try:
            answer = self._http.request("PUT", self._url, json=state)
            problem = None if answer.status == 200 else f"status {answer.status}"
            if problem is None and "failure" in answer.json():
                problem = str(answer.json()["failure"].get("Reason"))
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            problem = type(error).__name__
        if problem:
            self._logger.warning("no scale-in protection", action="scale_in_protection", reason=problem)
