"""Series of equal calls to the API: its function in this process, and the local stack over HTTP.

In process, each call is watched for what it asks of AWS. Tables of all sizes exist at the same time there and
are asked in turns: a machine that is slow for a while is then slow for all of them. Over HTTP several clients
ask at the same time, and the sizes come one after another.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import numpy as np
from botocore.client import BaseClient
from moto import mock_aws
from video_jobs import bootstrap
from video_jobs.adapters.local.memory_jobs import MemoryJobRepository
from video_jobs.bindings import Ports
from video_jobs.domain.job import JobStatus
from video_jobs.domain.rules import Rules
from video_jobs.use_cases import owner
from video_jobs.use_cases.owner import JobFilter, Owner
from video_jobs_client import Client
from video_jobs_client.protocol.retries import Retries

from functions.video_api import app as video_api
from tests.integration.conftest import asked, context_of, load_event
from tests.proofs.load.tables import (
    FAILED_EVERY,
    TABLE,
    JobsTable,
    dynalite_table,
    job_id_of,
    job_of,
    moto_emptied,
    moto_table,
)
from tests.proofs.report import Row
from tests.support.dynalite import Dynalite, create_table
from tools.local_stack.aws_server import REGION
from tools.local_stack.gateway import LOCAL_OWNER
from tools.local_stack.stack import LocalStack
from tools.local_stack.template import Template

BACKENDS = ("moto", "dynalite")
IN_PROCESS, GATEWAY = "in process", "gateway"
Event = dict[str, Any]
CallOnce = Callable[[], float]
"""Calls, and gives the seconds that it took."""
_FUNCTION = "VideoApiFunction"
_ALL, _FAILED = JobFilter(), JobFilter(status=JobStatus.FAILED)


class UnexpectedAnswerError(Exception):
    """A measured call was not answered as it should be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """What is measured; ``gateway`` names the backends that are also measured through the gateway."""

    sizes: tuple[int, ...] = (10, 1_000, 100_000)
    most_calls: int = 200
    least_calls: int = 5
    most_s: float = 3
    page: int = 20
    clients: int = 4
    gateway: tuple[str, ...] = BACKENDS

    def is_enough(self, calls_made: int, spent_s: float) -> bool:
        """Whether a series ends: after ``most_calls``, or after ``most_s`` seconds and ``least_calls``."""
        return calls_made >= self.most_calls or (calls_made >= self.least_calls and spent_s > self.most_s)


@dataclass(frozen=True, slots=True)
class Call:
    """A kind of call.

    ``make`` gives the next event, ``reads_at_most`` is how many items the table may look at for one, however
    many there are, and ``status`` is the expected answer.
    """

    name: str
    make: Callable[[], Event]
    reads_at_most: int
    status: int = 200

    def checked(self, event: Event, status: int, body: str) -> Any:
        """The body of an answer, if it is the expected one."""
        if status != self.status:
            raise UnexpectedAnswerError(f"{event['rawPath']} answered {status}: {body}")
        return json.loads(body)


def calls(jobs: int, page: int, backend: str) -> list[Call]:
    """Every kind of call on a table of ``jobs``; submit comes last, because it adds some.

    Dynalite has no transactions, which a submit needs.
    """
    submit = Call("submit", lambda: load_event("submit_json"), 0, status=201)
    chosen = random.Random(1)  # the same jobs are asked for each time
    filtered = owner.JOBS_A_READ
    return [
        Call("status", lambda: _status(chosen.randrange(jobs)), 1),
        Call("list, first page", lambda: _list(page), page),
        Call("list, from the middle", lambda: _list(page, after=jobs // 2), page),
        Call("list failed, first page", lambda: _list(page, _FAILED), filtered),
        Call("list failed, from the middle", lambda: _list(page, _FAILED, after=jobs // 2), filtered),
        *([submit] if backend == "moto" else []),
    ]


def _status(number: int) -> Event:
    return load_event("status") | {"rawPath": f"/video/status/{job_id_of(number)}"}


def _list(page: int, wanted: JobFilter = _ALL, after: int | None = None) -> Event:
    query = {"limit": str(page)} | ({} if wanted.status is None else {"status": str(wanted.status)})
    return asked("list_jobs", query | ({} if after is None else {"cursor": _cursor_after(after, wanted)}))


@cache
def _cursor_after(number: int, wanted: JobFilter) -> str:
    """The cursor of a client that has paged so far: of a list that begins with the job before it."""
    alone = MemoryJobRepository()
    alone.save(job_of(number - number % FAILED_EVERY))  # a failed one, which passes either filter
    cursor = Owner(Ports(jobs=lambda: alone), Rules()).list_jobs(LOCAL_OWNER, wanted, 1, None).next_cursor
    assert cursor is not None, "a full page has a cursor"
    return cursor


def run_in_turns(calls_once: Sequence[CallOnce], plan: LoadPlan) -> list[Row]:
    """A series of each, all in turns; those that have had enough leave the turn to the others."""
    for call_once in calls_once:
        call_once()  # the first call connects and imports
    every: list[tuple[CallOnce, list[float]]] = [(call_once, []) for call_once in calls_once]
    open_ones = every
    while open_ones:
        for call_once, times_s in open_ones:
            times_s.append(call_once())
        open_ones = [one for one in open_ones if not plan.is_enough(len(one[1]), sum(one[1]))]
    return [_summary(times_s, sum(times_s)) for _, times_s in every]


def run_at_once(call_once: CallOnce, plan: LoadPlan) -> Row:
    """One series by ``plan.clients`` threads at the same time."""
    call_once()
    started = time.perf_counter()

    def call(number: int) -> float | None:
        return None if plan.is_enough(number, time.perf_counter() - started) else call_once()

    with ThreadPoolExecutor(plan.clients) as pool:
        times_s = [took_s for took_s in pool.map(call, range(plan.most_calls)) if took_s is not None]
    return _summary(times_s, time.perf_counter() - started)


def _summary(times_s: Sequence[float], wall_s: float) -> Row:
    """How many calls, how many a second, and how long they took: each percentile is a measured time."""
    percentiles = np.percentile(times_s, (50, 95, 99), method="inverted_cdf") * 1000
    row: Row = {"calls": len(times_s), "a_second": len(times_s) / wall_s}
    return row | dict(zip(("p50_ms", "p95_ms", "p99_ms"), percentiles.tolist(), strict=True))


def in_process_rows(backend: str, plan: LoadPlan) -> Iterator[Row]:
    """A row for each kind of call and size of the table."""
    with filled_tables(backend, plan.sizes) as tables:
        for kinds in zip(*(calls(table.jobs, plan.page, backend) for table in tables), strict=True):
            asked: list[Row] = [{} for _ in tables]
            watched = [partial(watch, *each) for each in zip(kinds, tables, asked, strict=True)]
            rows = run_in_turns(watched, plan)
            for call, table, most, row in zip(kinds, tables, asked, rows, strict=True):
                head = {"where": IN_PROCESS, "backend": backend, "jobs": table.jobs, "call": call.name}
                yield head | most | {"reads_at_most": call.reads_at_most} | row


@contextmanager
def filled_tables(backend: str, sizes: Sequence[int]) -> Iterator[list[JobsTable]]:
    """A table for each size, on moto in this process or each on a dynalite of its own."""
    with ExitStack() as exits:
        exits.enter_context(_function_environment())
        if backend == "moto":
            exits.enter_context(moto_emptied())
            exits.enter_context(mock_aws())
        tables = []
        for jobs in sizes:
            environment: dict[str, str] = {}
            if backend == "moto":
                table = moto_table(boto3.client("dynamodb", region_name=REGION), f"{TABLE}-{jobs}")
                create_table(table.client, table.name, "JobsTable")
                create_table(table.client, table.state_name, "StateTable")
            else:
                server = exits.enter_context(Dynalite())
                table, environment = dynalite_table(server), dict(server.environment)
            table.grow_to(jobs)
            with patch.dict(os.environ, environment):
                table.connect()
            tables.append(table)
        yield tables


@contextmanager
def _function_environment() -> Iterator[None]:
    """The function's own environment; its adapters are made anew in it."""
    template = Template()
    names = {name: name.lower() for name in template.resources}
    template.bind(names | {"AWS::Region": REGION, "AWS::StackName": "load"})
    access = {"AWS_REGION": REGION, "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
    with ExitStack() as exits:
        exits.enter_context(patch.dict(os.environ, {**template.environment(_FUNCTION), **access}))
        for variable in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB"):
            os.environ.pop(variable, None)
        bootstrap.application.cache_clear()
        exits.callback(bootstrap.application.cache_clear)
        yield


def watch(call: Call, table: JobsTable, most: Row) -> float:
    """Call once on a table; gives the seconds, and raises in ``most`` what one call asked for at most.

    A query tells how many items it looked at (``ScannedCount``), whether or not it gives them; a read by key
    looks at the one that it gives.
    """
    use: Counter[str] = Counter()
    send = BaseClient._make_api_call  # type: ignore[attr-defined]

    def counted(client: Any, operation: str, arguments: Any) -> Any:
        answer = send(client, operation, arguments)
        use[operation] += 1
        use["evaluated"] += answer.get("ScannedCount", int("Item" in answer))
        return answer

    event, context = call.make(), context_of(_FUNCTION)
    vars(bootstrap.application().ports)["jobs"] = table.repository
    with patch.object(BaseClient, "_make_api_call", counted):
        started = time.perf_counter()
        answer = video_api.lambda_handler(event, context)
        took_s = time.perf_counter() - started
    call.checked(event, answer["statusCode"], answer["body"])
    most["evaluated"] = max(use.pop("evaluated"), most.get("evaluated", 0))
    if use.total() >= most.get("requests", 0):
        most |= {"requests": use.total(), "operations": ", ".join(use.elements())}
    return took_s


def gateway_rows(backend: str, plan: LoadPlan, log_file: Path) -> Iterator[Row]:
    """A row for each kind of call and size of the table."""
    with _running(backend, log_file) as (client, table):
        for jobs in plan.sizes:
            table.grow_to(jobs)
            for call in calls(jobs, plan.page, backend):
                made: list[str] = []
                row = run_at_once(partial(_request, client, call, made), plan)
                table.delete(made)  # the next size is measured on jobs of its own
                yield {"where": GATEWAY, "backend": backend, "jobs": jobs, "call": call.name, **row}


@contextmanager
def _running(backend: str, log_file: Path) -> Iterator[tuple[Client, JobsTable]]:
    """The stack without workers; with dynalite its functions keep their jobs there, the rest in moto."""
    with ExitStack() as exits:
        exits.enter_context(moto_emptied())
        settings, table = {}, None
        if backend == "dynalite":
            server = exits.enter_context(Dynalite())
            settings, table = {**server.environment, "TABLE_NAME": TABLE}, dynalite_table(server)
        stack = exits.enter_context(LocalStack(log_file=log_file, workers=0, function_settings=settings))
        name = stack.template.resolve({"Ref": "JobsTable"})
        client = exits.enter_context(Client(stack.url, timeout_s=60, retries=Retries(limit=0)))
        yield client, table or moto_table(stack.aws.client("dynamodb"), name)


def _request(client: Client, call: Call, made: list[str]) -> float:
    """Ask once; gives the seconds, and adds the job that was submitted to ``made``."""
    event = call.make()
    method, query = event["requestContext"]["http"]["method"], event.get("queryStringParameters")
    content = event["body"].encode() if event["body"] else None
    headers = {"content-type": "application/json"}
    started = time.perf_counter()
    answer = client.request(method, event["rawPath"], params=query, headers=headers, content=content)
    took_s = time.perf_counter() - started
    body = call.checked(event, answer.status, answer.content.decode())
    made.extend([body["job_id"]] if call.status == 201 else [])
    return took_s
