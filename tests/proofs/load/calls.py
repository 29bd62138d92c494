"""The calls that are measured, as events of the function; over HTTP the same requests are sent."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from video_jobs.adapters.local.memory_jobs import MemoryJobRepository
from video_jobs.domain.job import JobStatus
from video_jobs.domain.rules import Rules
from video_jobs.ports import Ports
from video_jobs.use_cases import owner
from video_jobs.use_cases.owner import JobFilter, Owner

from tests.proofs.load.tables import FAILED_EVERY, job_id_of, job_of
from tests.proofs.report import ROOT
from tools.local_stack.gateway import LOCAL_OWNER

Event = dict[str, Any]
_ALL, _FAILED = JobFilter(), JobFilter(status=JobStatus.FAILED)


class UnexpectedAnswerError(Exception):
    """A measured call was not answered as it should be."""


@dataclass(frozen=True, slots=True)
class Call:
    """A kind of call.

    ``make`` gives the next event, ``reads_at_most`` is how many items the table may look at for one, however
    many there are, and ``status`` is what answers it.
    """

    name: str
    make: Callable[[], Event]
    reads_at_most: int
    status: int = 200


def calls(jobs: int, page: int) -> list[Call]:
    """Every kind of call on a table of ``jobs``; submit comes last, because it adds some."""
    chosen = random.Random(1)  # the same jobs are asked for each time
    filtered = owner.JOBS_A_READ
    return [
        Call("status", lambda: _status(chosen.randrange(jobs)), 1),
        Call("list, first page", lambda: _list(page), page),
        Call("list, from the middle", lambda: _list(page, after=jobs // 2), page),
        Call("list failed, first page", lambda: _list(page, _FAILED), filtered),
        Call("list failed, from the middle", lambda: _list(page, _FAILED, after=jobs // 2), filtered),
        Call("submit", lambda: _sample("submit_json"), 0, status=201),
    ]


def checked(event: Event, expected: int, status: int, body: str) -> Any:
    """The body of an answer, if it is the expected one."""
    if status != expected:
        raise UnexpectedAnswerError(f"{event['rawPath']} answered {status}: {body}")
    return json.loads(body)


def _sample(name: str, **changed: Any) -> Event:
    """An event of ``events/``, with other values."""
    event: Event = json.loads(_text_of(name))
    return event | changed


@cache
def _text_of(name: str) -> str:
    return (ROOT / "events" / f"{name}.json").read_text(encoding="utf-8")


def _status(number: int) -> Event:
    return _sample("status", rawPath=f"/video/status/{job_id_of(number)}")


def _list(page: int, wanted: JobFilter = _ALL, after: int | None = None) -> Event:
    query = {"limit": str(page)}
    if wanted.status is not None:
        query["status"] = str(wanted.status)
    if after is not None:
        query["cursor"] = _cursor_after(after, wanted)
    return _sample("list_jobs", queryStringParameters=query)


@cache
def _cursor_after(number: int, wanted: JobFilter) -> str:
    """The cursor of a client that has paged so far: of a list that begins with the job before it."""
    alone = MemoryJobRepository()
    alone.save(job_of(number - number % FAILED_EVERY))  # a failed one, which passes either filter
    cursor = Owner(Ports(jobs=lambda: alone), Rules()).list_jobs(LOCAL_OWNER, wanted, 1, None).next_cursor
    if cursor is None:
        raise ValueError("a full page has a cursor")
    return cursor
