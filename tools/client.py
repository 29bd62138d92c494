"""The REST API as the demo and the proofs use it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

_TIMEOUT_S = 60
_PAUSE_S = 0.3


class RefusedError(Exception):
    """The service refused a request; the message is its own."""


class Client:
    """A client of one service.

    A request that gets no answer, or an error of the server, is sent again up to ``retries`` times.
    """

    def __init__(self, base_url: str, *, retries: int = 0) -> None:
        self._base_url = base_url
        self._session = requests.Session()
        again = Retry(
            retries,
            allowed_methods=None,
            status_forcelist=range(500, 600),
            raise_on_status=False,
            backoff_factor=_PAUSE_S,
            backoff_max=_PAUSE_S,
        )
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=again))

    def submit(self, video: bytes, *, key: str | None = None, **options: Any) -> str:
        """Submit a job and upload its video to where the answer says; gives the job_id."""
        wanted = {"size_bytes": len(video), **options}
        job = self._ask("POST", "/video/submit", json=wanted, headers={"Idempotency-Key": key}).json()
        upload = job["upload"]
        self._send("POST", upload["url"], data=upload["fields"], files={"file": video})
        return str(job["job_id"])

    def submit_in_body(self, video: bytes, *, key: str | None = None, **options: Any) -> str:
        """Submit a job with its small video in the request; gives the job_id."""
        headers = {"content-type": "video/mp4", "Idempotency-Key": key}
        job = self._ask("POST", "/video/submit", data=video, params=options, headers=headers).json()
        return str(job["job_id"])

    def quote(self, **facts: Any) -> dict[str, Any]:
        """What a job would take of a video of which these facts are known, with these options."""
        body: dict[str, Any] = self._ask("POST", "/video/quote", json=facts).json()
        return body

    def job(self, job_id: str) -> dict[str, Any]:
        """The whole job resource."""
        body: dict[str, Any] = self._ask("GET", f"/video/jobs/{job_id}").json()
        return body

    def wait(self, job_id: str, *statuses: str, poll_s: float = 0.25) -> str:
        """Wait until the job has one of ``statuses`` or has failed; gives its status."""
        path = f"/video/status/{job_id}"
        while (status := self._ask("GET", path).json()["status"]) not in (*statuses, "failed"):
            time.sleep(poll_s)
        return str(status)

    def results(self, job_id: str, **query: str) -> Iterator[dict[str, Any]]:
        """Every frame, page by page, with its ``timestamp_ms``, and its ``track_ids`` if they are included.

        What the results do not have is None.
        """
        cursor: str | None = ""
        while cursor is not None:
            asked = {**query, "cursor": cursor or None}
            page = self._ask("GET", f"/video/results/{job_id}", params=asked).json()
            nothing = [None] * len(page["results"])
            times, tracks = page["timestamps_ms"] or nothing, page.get("track_ids") or nothing
            for frame, timestamp_ms, track_ids in zip(page["results"], times, tracks, strict=True):
                yield {"timestamp_ms": timestamp_ms, **frame, "track_ids": track_ids}
            cursor = page.get("next_cursor")

    def summary(self, job_id: str) -> dict[str, Any]:
        """The summary of the job's video."""
        answer: dict[str, Any] = self._ask("GET", f"/video/summary/{job_id}").json()
        whole: dict[str, Any] = answer["summary"] or self._send("GET", answer["summary_url"]).json()
        return whole

    def _ask(self, method: str, path: str, **parts: Any) -> requests.Response:
        return self._send(method, self._base_url + path, **parts)

    def _send(self, method: str, url: str, **parts: Any) -> requests.Response:
        answer = self._session.request(method, url, timeout=_TIMEOUT_S, **parts)
        if not answer.ok:
            is_problem = "problem+json" in answer.headers.get("content-type", "")
            raise RefusedError(answer.json()["detail"] if is_problem else answer.text)
        return answer
