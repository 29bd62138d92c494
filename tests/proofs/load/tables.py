"""Jobs tables that are filled quickly, on moto and on dynalite: ended jobs of one owner."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from botocore.config import Config
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.dynamo_type import Item as MotoItem
from video_jobs.adapters.aws.dynamodb import DynamoDbJobRepository
from video_jobs.adapters.aws.job_item import JobItem
from video_jobs.domain.job import Failure, Job, JobStatus, Output, Progress, Upload, UploadState, to_iso
from video_jobs.domain.keys import results_key, video_key

from tests.support.dynalite import Dynalite, create_table
from tools.local_stack.aws_server import REGION
from tools.local_stack.gateway import LOCAL_OWNER

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Item = dict[str, Any]
TABLE = "jobs"
FAILED_EVERY = 4
_BATCH = 25
_FILLERS = 2


def job_id_of(number: int) -> str:
    return f"{number:08x}-3d1c-4a52-8f6e-2b7a90c4d1e3"


def job_of(number: int) -> Job:
    """Job ``number``; a higher number is a newer job, and one in `FAILED_EVERY` failed."""
    job_id = job_id_of(number)
    failed = number % FAILED_EVERY == 0
    return Job(
        job_id=job_id,
        owner=LOCAL_OWNER,
        created_at=_made_at(number),
        updated_at=_made_at(number),
        status=JobStatus.FAILED if failed else JobStatus.COMPLETED,
        upload=Upload(key=video_key(job_id), state=UploadState.ACCEPTED),
        output=None if failed else Output(results_key(job_id)),
        error=Failure("pipeline_failed", "The pipeline failed on frame 12") if failed else None,
        progress=Progress(12 if failed else 250, 250),
    )


def _made_at(number: int) -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=number)


def items(start: int, stop: int) -> Iterator[Item]:
    """Jobs ``start`` to ``stop`` as the table keeps them.

    One of each kind is made by the adapter; the others differ in their id and their time.
    """
    kinds = [json.dumps(_stored(job_of(number))) for number in range(FAILED_EVERY)]
    for number in range(start, stop):
        kind = number % FAILED_EVERY
        own = kinds[kind].replace(job_id_of(kind), job_id_of(number))
        yield json.loads(own.replace(to_iso(_made_at(kind)), to_iso(_made_at(number))))


def _stored(job: Job) -> Item:
    """The item that the adapter makes of a job; nothing is sent."""
    stored: Item = {}
    with patch.object(JobItem, "save", lambda item, **_: stored.update(item.serialize())):
        DynamoDbJobRepository("unused", REGION).save(job)
    return stored


@dataclass
class JobsTable:
    """A table that holds the first ``jobs`` jobs; ``put`` is its quick way in."""

    client: DynamoDBClient
    name: str
    put: Callable[[Iterable[Item]], None]
    jobs: int = 0
    repository: DynamoDbJobRepository = field(init=False)

    @property
    def state_name(self) -> str:
        """The table with the owners' accounts."""
        return f"{self.name}-state"

    def grow_to(self, jobs: int) -> None:
        self.put(items(self.jobs, jobs))
        self.jobs = jobs

    def connect(self) -> None:
        """Make the adapter that reaches it; it connects by the environment of now, and stays connected."""
        self.repository = DynamoDbJobRepository(self.name, REGION, self.state_name)
        self.repository.get_by_id(job_id_of(0))

    def delete(self, job_ids: Iterable[str]) -> None:
        """Take out jobs that came some other way."""
        for job_id in job_ids:
            self.client.delete_item(TableName=self.name, Key={"job_id": {"S": job_id}})


@contextmanager
def moto_emptied() -> Iterator[None]:
    """Free what moto holds in this process when it has stopped: entering its mock does that."""
    try:
        yield
    finally:
        with mock_aws():
            pass


def moto_table(client: DynamoDBClient, name: str) -> JobsTable:
    """A table that moto has; its server, too, keeps them in the process that started it."""

    def put(jobs: Iterable[Item]) -> None:
        keyed = ((DynamoType(job["job_id"]), job) for job in jobs)
        made: dict[Any, Any] = {key: MotoItem(key, None, job) for key, job in keyed}
        # All at once, because others may walk the table, and past its stream: old jobs are no news.
        dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].get_table(name).items.update(made)

    return JobsTable(client, name, put)


def dynalite_table(server: Dynalite) -> JobsTable:
    create_table(server.client(), TABLE, "JobsTable")
    # Ready-made items need no checks; those would take longer than the writing.
    unchecked = server.client(Config(parameter_validation=False))

    def write(batch: list[Item]) -> None:
        unchecked.batch_write_item(RequestItems={TABLE: [{"PutRequest": {"Item": job}} for job in batch]})

    def put(jobs: Iterable[Item]) -> None:
        rest = iter(jobs)
        with ThreadPoolExecutor(_FILLERS) as fillers:
            list(fillers.map(write, iter(lambda: list(islice(rest, _BATCH)), [])))

    return JobsTable(server.client(), TABLE, put)
