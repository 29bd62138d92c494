"""The local stack's API over HTTP, asked by several clients at the same time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import requests

from tests.proofs.load.calls import Call, calls, checked
from tests.proofs.load.series import LoadPlan, run_at_once
from tests.proofs.load.tables import TABLE, JobsTable, dynalite_table, moto_emptied, moto_table
from tests.proofs.report import Row
from tests.support.dynalite import Dynalite
from tools.local_stack.stack import LocalStack

WHERE = "gateway"


def gateway_rows(backend: str, plan: LoadPlan, log_file: Path) -> Iterator[Row]:
    """A row for each kind of call and size of the table; the sizes come one after another."""
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
        settings, table = {}, None
        if backend == "dynalite":
            server = exits.enter_context(Dynalite())
            settings, table = {**server.environment, "TABLE_NAME": TABLE}, dynalite_table(server)
        stack = exits.enter_context(LocalStack(log_file=log_file, workers=0, function_settings=settings))
        name = stack.template.resolve({"Ref": "JobsTable"})
        yield stack.url, table or moto_table(stack.aws.client("dynamodb"), name)


def _measured(url: str, call: Call, table: JobsTable, plan: LoadPlan) -> Row:
    made: list[str] = []

    def call_once() -> float:
        event = call.make()
        method, query = event["requestContext"]["http"]["method"], event.get("queryStringParameters")
        headers = {"content-type": "application/json"}
        started = time.perf_counter()
        answer = requests.request(
            method, url + event["rawPath"], params=query, data=event["body"], headers=headers, timeout=60
        )
        took_s = time.perf_counter() - started
        body = checked(event, call.status, answer.status_code, answer.text)
        made.extend([body["job_id"]] if call.status == 201 else [])
        return took_s

    row = run_at_once(call_once, plan)
    table.delete(made)  # the next size is measured on jobs of its own
    return row
