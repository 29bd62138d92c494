"""Keep ECS from stopping this task to scale in, or to release another image, while it works on a job.

Source: Amazon ECS developer guide, "Task scale-in protection endpoint" of the container agent.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from enum import Enum, auto

import urllib3
from aws_lambda_powertools import Logger
from video_jobs.ports import Clock

PROTECTED_FOR = timedelta(minutes=15)
"""Protection ends by itself this long after it was last asked for, for example because the worker died.

CloudFormation waits three hours at most until a service has replaced its tasks, so protection for as long as
a job may take would let a deployment fail.
"""

ASKED_EVERY = timedelta(minutes=5)

_TIMEOUT_S = 2.0


class _Answer(Enum):
    GRANTED = auto()
    REFUSED = auto()
    MISSING = auto()


class ScaleInProtection(AbstractContextManager[None]):
    """Protection is on inside the ``with`` block; if the agent does not answer, that is only logged.

    Parameters
    ----------
    agent_uri
        The value of ``ECS_AGENT_URI``, which ECS sets; if it is empty, nothing happens.
    """

    def __init__(self, agent_uri: str, clock: Clock, logger: Logger) -> None:
        self._url = f"{agent_uri.rstrip('/')}/task-protection/v1/state" if agent_uri else ""
        self._clock, self._logger = clock, logger
        self._http = urllib3.PoolManager(timeout=_TIMEOUT_S, retries=False)
        self._asked_at: datetime | None = None
        self._was_granted = False

    def __enter__(self) -> None:
        self._was_granted = False
        self._ask()

    def __exit__(self, *_: object) -> None:
        self._asked_at = None
        self._put({"ProtectionEnabled": False})

    def renew(self) -> bool:
        """Ask again if it is time to, and return False if ECS takes back what it had granted.

        A task that ECS never protects, because it belongs to no service, loses nothing.
        """
        if self._asked_at is None or self._clock.now() - self._asked_at < ASKED_EVERY:
            return True
        had_it = self._was_granted
        return not (self._ask() is _Answer.REFUSED and had_it)

    def _ask(self) -> _Answer:
        self._asked_at = self._clock.now()
        minutes = int(PROTECTED_FOR.total_seconds() / 60)
        answer = self._put({"ProtectionEnabled": True, "ExpiresInMinutes": minutes})
        self._was_granted |= answer is _Answer.GRANTED
        return answer

    def _put(self, state: dict[str, bool | int]) -> _Answer:
        if not self._url:
            return _Answer.MISSING
        try:
            response = self._http.request("PUT", self._url, json=state)
            failure = response.json().get("failure")
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            return self._not_granted(_Answer.MISSING, type(error).__name__)
        if failure:
            return self._not_granted(_Answer.REFUSED, str(failure.get("Reason")))
        if response.status != 200:
            return self._not_granted(_Answer.MISSING, f"status {response.status}")
        return _Answer.GRANTED

    def _not_granted(self, answer: _Answer, reason: str) -> _Answer:
        self._logger.warning("no scale-in protection", action="scale_in_protection", reason=reason)
        return answer
