"""The function itself, called in this process: what a call costs, and what it asks of the table.

Tables of all sizes exist at the same time and are asked in turns: a machine that is slow for a while is then
slow for all of them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, cast
from unittest.mock import patch

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.client import BaseClient
from moto import mock_aws
from video_jobs import bootstrap

from functions.video_api import app as video_api
from tests.proofs.load.calls import Call, Event, calls, checked
from tests.proofs.load.series import LoadPlan, run_in_turns
from tests.proofs.load.tables import TABLE, JobsTable, dynalite_table, moto_emptied, moto_table
from tests.proofs.report import Row
from tests.support.dynalite import Dynalite, create_jobs_table
from tools.local_stack.aws_server import REGION
from tools.local_stack.function_host import LocalContext
from tools.local_stack.template import Template

WHERE = "in process"
_FUNCTION = "VideoApiFunction"


@contextmanager
def _moto_tables(sizes: Sequence[int]) -> Iterator[list[JobsTable]]:
    with moto_emptied(), mock_aws():
        client = boto3.client("dynamodb", region_name=REGION)
        tables = [moto_table(client, f"{TABLE}-{jobs}") for jobs in sizes]
        for table, jobs in zip(tables, sizes, strict=True):
            create_jobs_table(client, table.name)
            table.grow_to(jobs)
            table.connect()
        yield tables


@contextmanager
def _dynalite_tables(sizes: Sequence[int]) -> Iterator[list[JobsTable]]:
    """Each in a process of its own."""
    with ExitStack() as exits:
        tables = []
        for jobs in sizes:
            server = exits.enter_context(Dynalite())
            with patch.dict(os.environ, server.environment):
                tables.append(table := dynalite_table(server))
                table.grow_to(jobs)
                table.connect()
        yield tables


BACKENDS: Mapping[str, Callable[[Sequence[int]], AbstractContextManager[list[JobsTable]]]] = {
    "moto": _moto_tables,
    "dynalite": _dynalite_tables,
}


def in_process_rows(backend: str, plan: LoadPlan) -> Iterator[Row]:
    """A row for each kind of call and size of the table."""
    with function_environment(), BACKENDS[backend](plan.sizes) as tables:
        for kinds in zip(*(calls(table.jobs, plan.page) for table in tables), strict=True):
            watched = [_WatchedCall(call, table) for call, table in zip(kinds, tables, strict=True)]
            for one, row in zip(watched, run_in_turns(watched, plan), strict=True):
                yield {"where": WHERE, "backend": backend, **one.row(), **row}


class _WatchedCall:
    """A kind of call on one table; remembers the most that one of them asked of AWS."""

    def __init__(self, call: Call, table: JobsTable) -> None:
        self._call, self._table = call, table
        self._operations: list[str] = []
        self._evaluated = 0

    def __call__(self) -> float:
        bootstrap.aws_services().jobs = self._table.repository
        with _aws_use() as use:
            took_s = invoke(self._call.make(), self._call.status)
        self._operations = max(self._operations, [operation for operation, _ in use], key=len)
        self._evaluated = max(self._evaluated, sum(evaluated for _, evaluated in use))
        return took_s

    def row(self) -> Row:
        return {
            "jobs": self._table.jobs,
            "call": self._call.name,
            "requests": len(self._operations),
            "operations": ", ".join(self._operations),
            "evaluated": self._evaluated,
            "reads_at_most": self._call.reads_at_most,
        }


@contextmanager
def _aws_use() -> Iterator[list[tuple[str, int]]]:
    """Each request that this process makes to AWS: its operation, and how many items it looked at.

    A query tells how many it looked at (``ScannedCount``), whether or not it gives them; a read by key looks
    at the one that it gives.
    """
    use: list[tuple[str, int]] = []
    call = BaseClient._make_api_call  # type: ignore[attr-defined]

    def counted(client: Any, operation: str, arguments: Any) -> Any:
        answer = call(client, operation, arguments)
        use.append((operation, answer.get("ScannedCount", int("Item" in answer))))
        return answer

    with patch.object(BaseClient, "_make_api_call", counted):
        yield use


def invoke(event: Event, status: int) -> float:
    """Seconds that the handler took."""
    context = cast(LambdaContext, LocalContext(_FUNCTION, 30))
    started = time.perf_counter()
    answer = video_api.lambda_handler(event, context)
    took_s = time.perf_counter() - started
    checked(event, status, answer["statusCode"], answer["body"])
    return took_s


@contextmanager
def function_environment() -> Iterator[None]:
    """The function's own environment; its adapters are made anew in it."""
    template = Template()
    names = {name: name.lower() for name in template.resources}
    template.bind(names | {"AWS::Region": REGION, "AWS::StackName": "load"})
    access = {"AWS_REGION": REGION, "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
    with ExitStack() as exits:
        exits.enter_context(patch.dict(os.environ, {**template.environment(_FUNCTION), **access}))
        for variable in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB"):
            os.environ.pop(variable, None)
        bootstrap.aws_services.cache_clear()
        exits.callback(bootstrap.aws_services.cache_clear)
        yield
