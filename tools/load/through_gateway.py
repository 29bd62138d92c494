"""The local stack's API over HTTP, asked by several clients at the same time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import requests

from tools.dynalite import Dynalite
from tools.load.calls import Call, UnexpectedAnswerError, calls
from tools.load.series import LoadPlan, Row, run_at_once
from tools.load.tables import TABLE, JobsTable, dynalite_table, moto_emptied, moto_table
from tools.local_stack.stack import LocalStack

WHERE = "gateway"
_TIMEOUT_S = 60


def gateway_rows(backend: str, plan: LoadPlan, log_file: Path) -> Iterator[Row]:
    """A row for each kind of call and size of the table."""
    with _running(backend, log_file) as (url, table):
        for jobs in plan.sizes:
            table.grow_to(jobs)
            for call in calls(jobs, plan.page):
                head = {"where": WHERE, "backend": backend, "jobs": jobs, "call": call.name}
                yield head | _measured(url, call, table, plan)


@contextmanager
def _running(backend: str, log_file: Path) -> Iterator[tuple[str, JobsTable]]:
    """The stack without workers; with dynalite its functions keep their jobs there, the rest in moto."""
    with ExitStack() as exits:
        exits.enter_context(moto_emptied())
        server = exits.enter_context(Dynalite()) if backend == "dynalite" else None
        settings = {} if server is None else {**server.environment, "TABLE_NAME": TABLE}
        table = None if server is None else dynalite_table(server)
        stack = exits.enter_context(LocalStack(log_file=log_file, workers=0, function_settings=settings))
        if table is None:
            (logical_id,) = stack.template.logical_ids("AWS::DynamoDB::Table")
            name = stack.template.resolve({"Ref": logical_id})
            table = moto_table(stack.aws.client("dynamodb"), name)
        yield stack.url, table


def _measured(url: str, call: Call, table: JobsTable, plan: LoadPlan) -> Row:
    made: list[str] = []

    def call_once() -> float:
        request = call.make()
        started = time.perf_counter()
        answer = requests.request(
            request.method, url + request.path, params=request.query, json=request.body, timeout=_TIMEOUT_S
        )
        took_s = time.perf_counter() - started
        if answer.status_code != call.status:
            raise UnexpectedAnswerError(f"{request.path} answered {answer.status_code}: {answer.text}")
        if call.status == 201:
            made.append(answer.json()["job_id"])
        return took_s

    row = run_at_once(call_once, plan)
    table.delete(made)
    return row | {"clients": plan.clients}
