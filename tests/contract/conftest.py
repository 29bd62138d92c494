"""Every adapter of a port, behind one name; a contract test runs over all of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import uuid4

import boto3
import moto.sqs.models
import pytest
from video_jobs.adapters.dynamodb import job_item_model
from video_jobs.adapters.local_storage import LocalStorage
from video_jobs.adapters.memory import MemoryQueue
from video_jobs.adapters.memory_storage import MemoryStorage
from video_jobs.adapters.s3 import S3Storage
from video_jobs.adapters.sqs import SqsQueue
from video_jobs.bootstrap import s3_client
from video_jobs.ports import QueueService, StorageService

from tests.support.clock import ManualClock
from tests.support.dynalite import Dynalite, DynaliteMissingError, create_jobs_table, find_node

REGION: Final = "eu-central-1"


def require_dynalite() -> None:
    """Where dynalite is not installed the test is skipped; in CI it fails."""
    try:
        find_node()
    except DynaliteMissingError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def dynalite() -> Iterator[Dynalite]:
    """One process for all tests; each has a table of its own in it."""
    require_dynalite()
    with Dynalite() as running:
        yield running


@pytest.fixture
def moto_table(aws: None) -> str:
    """The name of a jobs table on moto, as the model makes it."""
    job_item_model("jobs", "us-east-1").create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    return "jobs"


@pytest.fixture
def dynalite_table(dynalite: Dynalite, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a jobs table on dynalite, as the template makes it."""
    for name, value in dynalite.environment.items():
        monkeypatch.setenv(name, value)
    table_name = f"jobs-{uuid4()}"
    create_jobs_table(dynalite.client(), table_name)
    return table_name


@dataclass(frozen=True)
class QueueUnderTest:
    """A kind of queue: ``connect()`` gives a client of the same queue, ``advance`` moves its time."""

    connect: Callable[[], QueueService]
    advance: Callable[[float], None]


@pytest.fixture(params=["memory", "sqs"])
def make_queue(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Callable[[bool], QueueUnderTest]:
    """Makes a queue; the argument says whether it is in strict order."""
    clock = ManualClock()
    if request.param == "memory":

        def make_memory(strict: bool) -> QueueUnderTest:
            queue = MemoryQueue(clock, strict_order=strict)
            return QueueUnderTest(lambda: queue, clock.advance)

        return make_memory
    request.getfixturevalue("aws")
    monkeypatch.setattr(moto.sqs.models, "unix_time", lambda: clock.now().timestamp())
    monkeypatch.setattr(moto.sqs.models, "unix_time_millis", lambda: clock.now().timestamp() * 1000)

    def make_sqs(strict: bool) -> QueueUnderTest:
        client = boto3.client("sqs", region_name=REGION)
        url = client.create_queue(QueueName="jobs.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
        return QueueUnderTest(
            lambda: SqsQueue(boto3.client("sqs", region_name=REGION), url, strict_order=strict),
            clock.advance,
        )

    return make_sqs


@pytest.fixture(params=["memory", "local", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> StorageService:
    """A storage with versions."""
    if request.param == "memory":
        return MemoryStorage()
    if request.param == "local":
        return LocalStorage(tmp_path / "storage")
    request.getfixturevalue("aws")
    client = s3_client(REGION)
    client.create_bucket(Bucket="media", CreateBucketConfiguration={"LocationConstraint": REGION})
    client.put_bucket_versioning(Bucket="media", VersioningConfiguration={"Status": "Enabled"})
    return S3Storage(client, "media")
