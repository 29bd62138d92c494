"""A client that asks again until it has an answer, as a good one does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import requests

from tools.chaos.plans import Plan

_TIMEOUT_S = 30
_PAUSE_S = 0.3
_TRIES = 200


class NoAnswerError(Exception):
    """The service did not answer however often it was asked."""


class PatientClient:
    """Submits under an Idempotency-Key, so that asking twice makes one job."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url

    def submit(self, plan: Plan, key: str) -> str:
        """Submit a job, and upload its video; gives the job_id."""
        headers = {"Idempotency-Key": key}
        if plan.in_body:
            headers["content-type"] = "video/mp4"
            answer = self._until_answered(
                lambda: requests.post(
                    f"{self._base_url}/video/submit",
                    data=plan.content,
                    params=dict(plan.options),
                    headers=headers,
                    timeout=_TIMEOUT_S,
                )
            )
            return str(answer.json()["job_id"])
        wanted = {"size_bytes": len(plan.content), **dict(plan.options)}
        answer = self._until_answered(
            lambda: requests.post(
                f"{self._base_url}/video/submit", json=wanted, headers=headers, timeout=_TIMEOUT_S
            )
        )
        self._upload(answer.json()["upload"], plan.content)
        return str(answer.json()["job_id"])

    def status(self, job_id: str) -> dict[str, Any]:
        """The job's status."""
        url = f"{self._base_url}/video/jobs/{job_id}"
        body: dict[str, Any] = self._until_answered(lambda: requests.get(url, timeout=_TIMEOUT_S)).json()
        return body

    def _upload(self, upload: dict[str, Any], content: bytes) -> None:
        self._until_answered(
            lambda: requests.post(
                upload["url"], data=upload["fields"], files={"file": content}, timeout=_TIMEOUT_S
            )
        )

    def _until_answered(self, ask: Callable[[], requests.Response]) -> requests.Response:
        for _ in range(_TRIES):
            try:
                answer = ask()
            except requests.RequestException:
                answer = None
            if answer is not None and answer.ok:
                return answer
            if answer is not None and answer.status_code < 500:
                raise NoAnswerError(f"{answer.status_code}: {answer.text}")
            time.sleep(_PAUSE_S)
        raise NoAnswerError(f"no answer after {_TRIES} tries")
