"""The calls that are measured, as HTTP requests and as events of the function."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from video_jobs.adapters.local.memory_jobs import MemoryJobRepository
from video_jobs.domain.job import JobStatus
from video_jobs.services import list_jobs as listing
from video_jobs.services.list_jobs import JobFilter, list_jobs

from tools.load.population import FAILED_EVERY, job_id_of, job_of
from tools.local_stack.gateway import LOCAL_OWNER

_EVENTS = Path(__file__).parents[2] / "events"
_SEED = 1
_FAILED = JobFilter(status=JobStatus.FAILED)


class UnexpectedAnswerError(Exception):
    """A measured call was not answered as it should be."""


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One request; ``sample`` names the event in ``events/`` that it is made like."""

    sample: str
    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None

    def to_event(self) -> dict[str, Any]:
        """The event that API Gateway makes of it."""
        event = deepcopy(_sample(self.sample))
        event["rawPath"] = event["requestContext"]["http"]["path"] = self.path
        event["queryStringParameters"] = dict(self.query)
        event["body"] = None if self.body is None else json.dumps(self.body)
        return event


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A kind of call.

    ``make`` gives the next request, ``status`` is what answers it, and ``reads_at_most`` is how many items
    the table may look at for one, however many there are.
    """

    name: str
    make: Callable[[], ApiRequest]
    status: int = 200
    reads_at_most: int


def calls(jobs: int, page: int) -> list[Call]:
    """Every kind of call on a table of ``jobs``; submit comes last, for it adds some."""
    chosen = random.Random(_SEED)  # noqa: S311 - which jobs are asked for, the same ones each time
    return [
        Call(name="status", make=lambda: _status(chosen.randrange(jobs)), reads_at_most=1),
        Call(name="list, first page", make=lambda: _list(page), reads_at_most=page),
        Call(
            name="list, from the middle",
            make=lambda: _list(page, after=jobs // 2),
            reads_at_most=page,
        ),
        Call(
            name="list failed, first page",
            make=lambda: _list(page, _FAILED),
            reads_at_most=listing.JOBS_A_READ,
        ),
        Call(
            name="list failed, from the middle",
            make=lambda: _list(page, _FAILED, after=jobs // 2),
            reads_at_most=listing.JOBS_A_READ,
        ),
        Call(name="submit", make=_submit, status=201, reads_at_most=0),
    ]


def _status(number: int) -> ApiRequest:
    return ApiRequest("status", "GET", f"/video/status/{job_id_of(number)}")


def _submit() -> ApiRequest:
    body = json.loads(_sample("submit_json")["body"])
    return ApiRequest("submit_json", "POST", "/video/submit", body=body)


def _list(page: int, wanted: JobFilter | None = None, after: int | None = None) -> ApiRequest:
    query = {"limit": str(page)}
    if wanted is not None and wanted.status is not None:
        query["status"] = str(wanted.status)
    if after is not None:
        query["cursor"] = _cursor_after(after, wanted or JobFilter())
    return ApiRequest("list_jobs", "GET", "/video/jobs", query)


@cache
def _cursor_after(number: int, wanted: JobFilter) -> str:
    """What a client that had paged so far would hold: of a list that begins with the job before it."""
    alone = MemoryJobRepository()
    alone.save(job_of(number - number % FAILED_EVERY))  # a failed one, which passes either filter
    cursor = list_jobs(LOCAL_OWNER, wanted, 1, None, jobs=alone).next_cursor
    if cursor is None:
        raise ValueError("a full page has a cursor")
    return cursor


@cache
def _sample(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((_EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return event
