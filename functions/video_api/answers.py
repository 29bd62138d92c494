"""JSON answers, with the headers that go with them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.event_handler import Response
from video_jobs.domain.job import Job

POLL_AGAIN_S = 2
"""When to ask again for a job that has not ended."""


def json_answer(
    body: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response[str]:
    """An answer of one JSON object."""
    return Response(status, "application/json", json.dumps(body), {**(headers or {})})


def polling_headers(job: Job) -> Mapping[str, str]:
    """``Retry-After`` while it is worth asking again."""
    return {"Retry-After": str(POLL_AGAIN_S)} if job.status.is_open else {}
