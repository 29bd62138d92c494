"""Jobs tables that are filled quickly, on moto and on dynalite."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.dynamo_type import Item as MotoItem

from tools.dynalite import Dynalite, create_jobs_table
from tools.load.population import Item, items
from tools.local_stack.aws_server import REGION

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TABLE = "jobs"
_BATCH = 25
_FILLERS = 2


class JobsTable:
    """A table that holds the first so many jobs; ``put`` is its quick way in."""

    def __init__(self, client: DynamoDBClient, name: str, put: Callable[[Iterable[Item]], None]) -> None:
        self.name = name
        self._client, self._put = client, put
        self._jobs = 0

    def grow_to(self, jobs: int) -> None:
        """Add the jobs that are missing."""
        self._put(items(self._jobs, jobs))
        self._jobs = jobs

    def delete(self, job_ids: Iterable[str]) -> None:
        """Take out jobs that came some other way."""
        for job_id in job_ids:
            self._client.delete_item(TableName=self.name, Key={"job_id": {"S": job_id}})


@contextmanager
def moto_emptied() -> Iterator[None]:
    """Let go of what moto holds in this process when it has stopped: entering its mock throws that away."""
    try:
        yield
    finally:
        with mock_aws():
            pass


def moto_table(client: DynamoDBClient, name: str) -> JobsTable:
    """A table that moto has; its server, too, keeps them in the process that started it."""

    def put(jobs: Iterable[Item]) -> None:
        made: dict[Any, Any] = {}
        for job in jobs:
            key = DynamoType(job["job_id"])
            made[key] = MotoItem(key, None, job)
        # All at once, because others may walk the table, and past its stream: old jobs are no news.
        dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].get_table(name).items.update(made)

    return JobsTable(client, name, put)


def dynalite_table(server: Dynalite) -> JobsTable:
    """A new table on dynalite."""
    create_jobs_table(server.client(), TABLE)
    # Ready-made items need no checks; those would take longer than the writing.
    unchecked = server.client(Config(parameter_validation=False))

    def write(batch: list[Item]) -> None:
        unchecked.batch_write_item(RequestItems={TABLE: [{"PutRequest": {"Item": job}} for job in batch]})

    def put(jobs: Iterable[Item]) -> None:
        with ThreadPoolExecutor(_FILLERS) as fillers:
            for _ in fillers.map(write, _batches(jobs)):
                pass

    return JobsTable(server.client(), TABLE, put)


def _batches(jobs: Iterable[Item]) -> Iterator[list[Item]]:
    rest = iter(jobs)
    while batch := list(islice(rest, _BATCH)):
        yield batch
