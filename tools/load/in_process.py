"""The function itself, called in this process: what a call costs, and what it asks of the table.

Tables of all sizes stand side by side and are asked in turns, so that a machine that is slow for a while is
slow for all of them.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, cast
from unittest.mock import patch

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext
from moto import mock_aws
from video_jobs import bootstrap
from video_jobs.adapters.dynamodb import DynamoDbJobRepository

from functions.video_api import app as video_api
from tools.dynalite import Dynalite, create_jobs_table
from tools.load.calls import Call, UnexpectedAnswerError, calls
from tools.load.population import job_id_of
from tools.load.recorder import aws_use
from tools.load.series import LoadPlan, Row, run_in_turns
from tools.load.tables import TABLE, JobsTable, dynalite_table, moto_emptied, moto_table
from tools.local_stack.aws_server import REGION
from tools.local_stack.function_host import LocalContext
from tools.local_stack.template import Template

WHERE = "in process"
_FUNCTION = "VideoApiFunction"


@dataclass(frozen=True, slots=True)
class Place:
    """A table of so many jobs, and the adapter that reaches it."""

    jobs: int
    table: JobsTable
    repository: DynamoDbJobRepository


@contextmanager
def moto_places(sizes: Sequence[int]) -> Iterator[list[Place]]:
    """Tables of moto in this process; nothing is sent."""
    with moto_emptied(), mock_aws():
        client = boto3.client("dynamodb", region_name=REGION)
        places = []
        for jobs in sizes:
            name = f"{TABLE}-{jobs}"
            create_jobs_table(client, name)
            places.append(_filled(moto_table(client, name), jobs))
        yield places


@contextmanager
def dynalite_places(sizes: Sequence[int]) -> Iterator[list[Place]]:
    """Tables of dynalite, each in a process of its own."""
    with ExitStack() as exits:
        places = []
        for jobs in sizes:
            server = exits.enter_context(Dynalite())
            with patch.dict(os.environ, server.environment):
                places.append(_filled(dynalite_table(server), jobs))
        yield places


def _filled(table: JobsTable, jobs: int) -> Place:
    """The adapter connects by the environment of now, and stays connected."""
    table.grow_to(jobs)
    repository = DynamoDbJobRepository(table.name, REGION)
    repository.get_by_id(job_id_of(0))
    return Place(jobs, table, repository)


BACKENDS: Mapping[str, Callable[[Sequence[int]], AbstractContextManager[list[Place]]]] = {
    "moto": moto_places,
    "dynalite": dynalite_places,
}


def in_process_rows(backend: str, plan: LoadPlan) -> Iterator[Row]:
    """A row for each kind of call and size of the table."""
    with function_environment(), BACKENDS[backend](plan.sizes) as places:
        for kinds in zip(*(calls(place.jobs, plan.page) for place in places), strict=True):
            watched = [WatchedCall(call, place) for call, place in zip(kinds, places, strict=True)]
            for one, row in zip(watched, run_in_turns(watched, plan), strict=True):
                one.clean_up()
                yield {"where": WHERE, "backend": backend, **one.row(), **row}


class WatchedCall:
    """A kind of call on one table; remembers what each of them asked for."""

    def __init__(self, call: Call, place: Place) -> None:
        self._call, self._place = call, place
        self._operations: list[str] = []
        self._evaluated = 0
        self._submitted: list[str] = []

    def __call__(self) -> float:
        """Call once; gives the seconds."""
        event = self._call.make().to_event()
        bootstrap.application().jobs = self._place.repository
        with aws_use() as use:
            took_s, body = invoke(event, self._call.status)
        self._operations = max(self._operations, use.operations, key=len)
        self._evaluated = max(self._evaluated, use.evaluated)
        if self._call.status == 201:
            self._submitted.append(body["job_id"])
        return took_s

    def clean_up(self) -> None:
        """Leave the table as it was."""
        self._place.table.delete(self._submitted)

    def row(self) -> Row:
        """The most that one call asked for."""
        return {
            "jobs": self._place.jobs,
            "call": self._call.name,
            "requests": len(self._operations),
            "operations": ", ".join(self._operations),
            "evaluated": self._evaluated,
            "reads_at_most": self._call.reads_at_most,
        }


def invoke(event: dict[str, Any], status: int) -> tuple[float, Any]:
    """Seconds that the handler took, and the body of its answer."""
    context = cast(LambdaContext, LocalContext(_FUNCTION, 30))
    started = time.perf_counter()
    answer = video_api.lambda_handler(event, context)
    took_s = time.perf_counter() - started
    if answer["statusCode"] != status:
        raise UnexpectedAnswerError(f"{event['rawPath']} answered {answer['statusCode']}: {answer['body']}")
    return took_s, json.loads(answer["body"])


@contextmanager
def function_environment() -> Iterator[None]:
    """The function's own environment; its adapters are made anew in it."""
    template = Template()
    names = {name: name.lower() for name in template.resources}
    template.bind(names | {"AWS::Region": REGION, "AWS::StackName": "load"})
    with patch.dict(os.environ, template.environment(_FUNCTION)):
        os.environ |= {"AWS_REGION": REGION, "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
        for variable in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB"):
            os.environ.pop(variable, None)
        bootstrap.application.cache_clear()
        try:
            yield
        finally:
            bootstrap.application.cache_clear()
