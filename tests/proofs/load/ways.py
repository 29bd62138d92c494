"""Two ways to call the API: its function in this process, and the local stack over HTTP.

In process, each call is watched for what it asks of AWS. Tables of all sizes exist at the same time there and
are asked in turns: a machine that is slow for a while is then slow for all of them. Over HTTP several clients
ask at the same time, and the sizes come one after another.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

import boto3
import requests
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.client import BaseClient
from moto import mock_aws
from video_jobs import bootstrap

from functions.video_api import app as video_api
from tests.proofs.load.calls import Call, calls, checked
from tests.proofs.load.series import LoadPlan, run_at_once, run_in_turns
from tests.proofs.load.tables import TABLE, JobsTable, dynalite_table, moto_emptied, moto_table
from tests.proofs.report import Row
from tests.support.dynalite import Dynalite, create_jobs_table
from tools.local_stack.aws_server import REGION
from tools.local_stack.function_host import LocalContext
from tools.local_stack.stack import LocalStack
from tools.local_stack.template import Template

BACKENDS = ("moto", "dynalite")
IN_PROCESS, GATEWAY = "in process", "gateway"
_FUNCTION = "VideoApiFunction"


def in_process_rows(backend: str, plan: LoadPlan) -> Iterator[Row]:
    """A row for each kind of call and size of the table."""
    with filled_tables(backend, plan.sizes) as tables:
        for kinds in zip(*(calls(table.jobs, plan.page) for table in tables), strict=True):
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
                create_jobs_table(table.client, table.name)
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

    event, context = call.make(), cast(LambdaContext, LocalContext(_FUNCTION, 30))
    vars(bootstrap.application().ports)["jobs"] = table.repository
    with patch.object(BaseClient, "_make_api_call", counted):
        started = time.perf_counter()
        answer = video_api.lambda_handler(event, context)
        took_s = time.perf_counter() - started
    checked(event, call.status, answer["statusCode"], answer["body"])
    evaluated = max(use.pop("evaluated"), most.get("evaluated", 0))
    if use.total() >= most.get("requests", 0):
        most |= {"requests": use.total(), "operations": ", ".join(use.elements())}
    most["evaluated"] = evaluated
    return took_s


def gateway_rows(backend: str, plan: LoadPlan, log_file: Path) -> Iterator[Row]:
    """A row for each kind of call and size of the table."""
    with _running(backend, log_file) as (url, table):
        for jobs in plan.sizes:
            table.grow_to(jobs)
            for call in calls(jobs, plan.page):
                made: list[str] = []
                row = run_at_once(partial(_request, url, call, made), plan)
                table.delete(made)  # the next size is measured on jobs of its own
                yield {"where": GATEWAY, "backend": backend, "jobs": jobs, "call": call.name, **row}


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


def _request(url: str, call: Call, made: list[str]) -> float:
    """Ask once; gives the seconds, and adds the job that was submitted to ``made``."""
    event = call.make()
    method, query = event["requestContext"]["http"]["method"], event.get("queryStringParameters")
    parts = {"params": query, "data": event["body"], "headers": {"content-type": "application/json"}}
    started = time.perf_counter()
    answer = requests.request(method, url + event["rawPath"], timeout=60, **parts)
    took_s = time.perf_counter() - started
    body = checked(event, call.status, answer.status_code, answer.text)
    made.extend([body["job_id"]] if call.status == 201 else [])
    return took_s
