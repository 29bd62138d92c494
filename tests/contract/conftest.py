"""Every adapter of a port, behind one name; a contract test runs over all of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import boto3
import pytest
import requests
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.exceptions import NoSuchUpload
from moto.s3.models import S3Backend
from moto.sqs.models import sqs_backends
from video_jobs.adapters.aws.dynamodb import DynamoDbJobRepository
from video_jobs.adapters.aws.eventbridge import EventBridgeBus
from video_jobs.adapters.aws.job_item import job_item_model
from video_jobs.adapters.aws.s3 import S3Storage
from video_jobs.adapters.aws.s3_multipart import S3MultipartUploads
from video_jobs.adapters.aws.secrets_manager import SecretsManagerWebhookSecrets, secret_name
from video_jobs.adapters.aws.sqs import SqsQueue
from video_jobs.adapters.aws.sqs_webhooks import SqsWebhookQueue
from video_jobs.adapters.aws.state_item import StateItem, bound_model
from video_jobs.adapters.local.local_storage import LocalStorage
from video_jobs.adapters.local.memory_jobs import MemoryJobRepository
from video_jobs.adapters.local.memory_notify import MemoryEventBus, MemoryWebhookQueue, MemoryWebhookSecrets
from video_jobs.adapters.local.memory_queue import MemoryQueue
from video_jobs.adapters.local.memory_storage import MemoryStorage
from video_jobs.adapters.local.memory_uploads import MemoryMultipartUploads
from video_jobs.bootstrap import s3_client
from video_jobs.domain.job_events import JobEvent
from video_jobs.domain.webhooks import WebhookMessage
from video_jobs.notify_ports import EventBus, WebhookQueue, WebhookSecrets
from video_jobs.ports import (
    JobRepository,
    MultipartUploads,
    QueueService,
    StorageService,
)

from tests.support.aws import REGION as EVENTS_REGION
from tests.support.aws import Subscriber
from tests.support.clock import ManualClock
from tests.support.dynalite import Dynalite, DynaliteMissingError, create_table, find_node

REGION: Final = "eu-central-1"
MOTO = pytest.param("moto", marks=pytest.mark.no_cover)
"""Dynalite runs the same lines, and under a tracer moto takes half as long again."""


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
def on_dynalite(dynalite: Dynalite, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Makes a table on dynalite as the template makes it, and gives its name."""
    for name, value in dynalite.environment.items():
        monkeypatch.setenv(name, value)

    def make(resource: str) -> str:
        create_table(dynalite.client(), name := f"{resource}-{uuid4()}", resource)
        return name

    return make


@pytest.fixture
def moto_table(aws: None) -> str:
    """The name of a jobs table on moto, as the model makes it."""
    job_item_model("jobs", "us-east-1").create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    return "jobs"


@pytest.fixture
def moto_state_table(aws: None) -> str:
    """The name of a state table on moto, as the model makes it."""
    bound_model(StateItem, "state", "us-east-1").create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    return "state"


@pytest.fixture
def dynalite_table(on_dynalite: Callable[[str], str]) -> str:
    return on_dynalite("JobsTable")


@pytest.fixture
def dynalite_state_table(on_dynalite: Callable[[str], str]) -> str:
    return on_dynalite("StateTable")


@pytest.fixture(params=["memory", MOTO, "dynalite"])
def jobs(request: pytest.FixtureRequest) -> JobRepository:
    """The jobs, empty."""
    if request.param == "memory":
        return MemoryJobRepository()
    return DynamoDbJobRepository(request.getfixturevalue(f"{request.param}_table"), "us-east-1")


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
    clock.move_sqs(monkeypatch)
    sqs = boto3.client("sqs", region_name=REGION)
    url = sqs.create_queue(QueueName="jobs.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]

    def connect(strict: bool) -> QueueService:
        return SqsQueue(boto3.client("sqs", region_name=REGION), url, strict_order=strict)

    return lambda strict: QueueUnderTest(partial(connect, strict), clock.advance)


def s3_storage() -> S3Storage:
    """A new versioned bucket."""
    client = s3_client(REGION)
    client.create_bucket(Bucket="media", CreateBucketConfiguration={"LocationConstraint": REGION})
    client.put_bucket_versioning(Bucket="media", VersioningConfiguration={"Status": "Enabled"})
    return S3Storage(client, "media")


@pytest.fixture(params=["memory", "local", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> StorageService:
    """A storage with versions."""
    if request.param == "memory":
        return MemoryStorage()
    if request.param == "local":
        return LocalStorage(tmp_path / "storage")
    request.getfixturevalue("aws")
    return s3_storage()


@dataclass(frozen=True)
class UploadsUnderTest:
    """Uploads into ``storage``; ``put(key, upload_id, number, content)`` is what a client does."""

    uploads: MultipartUploads
    storage: StorageService
    put: Callable[[str, str, int, bytes], object]


def refuse_uploads_that_are_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """S3 names an upload that it does not know; moto breaks with a KeyError."""
    for name in ("complete_multipart_upload", "upload_part"):
        method = getattr(S3Backend, name)

        def of_known(self: S3Backend, bucket: str, upload_id: str, *rest: Any, method: Any = method) -> Any:
            if upload_id not in self.get_bucket(bucket).multiparts:
                raise NoSuchUpload(upload_id)
            return method(self, bucket, upload_id, *rest)

        monkeypatch.setattr(S3Backend, name, of_known)


@pytest.fixture(params=["memory", "s3"])
def made(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> UploadsUnderTest:
    """Uploads in chunks of any size; S3 itself wants 5 MiB a chunk, which moto can be told to forget."""
    if request.param == "memory":
        memory = MemoryStorage()
        in_memory = MemoryMultipartUploads(memory)
        return UploadsUnderTest(in_memory, memory, in_memory.put_chunk)
    request.getfixturevalue("aws")
    monkeypatch.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", 1)
    refuse_uploads_that_are_gone(monkeypatch)
    storage = s3_storage()
    uploads = S3MultipartUploads(s3_client(REGION), "media")

    def put_to_signed_url(key: str, upload_id: str, number: int, content: bytes) -> None:
        url = uploads.presign_chunk(key, upload_id, number, size_bytes=len(content), expires_s=60)
        requests.put(url, data=content, timeout=10).raise_for_status()

    return UploadsUnderTest(uploads, storage, put_to_signed_url)


@dataclass(frozen=True)
class BusUnderTest:
    """A bus, and what a subscriber has heard from it so far."""

    events: EventBus
    heard: Callable[[], list[JobEvent]]


@pytest.fixture(params=["memory", "eventbridge"])
def bus(request: pytest.FixtureRequest) -> BusUnderTest:
    """An event bus with one subscriber."""
    if request.param == "memory":
        memory = MemoryEventBus()
        return BusUnderTest(memory, lambda: list(memory.published))
    request.getfixturevalue("aws")
    subscriber, client = Subscriber(), boto3.client("events", region_name=EVENTS_REGION)
    return BusUnderTest(
        EventBridgeBus(client, "default"),
        lambda: [JobEvent(body["detail-type"], body["detail"]) for body in subscriber.received()],
    )


@dataclass(frozen=True)
class WebhooksUnderTest:
    """``receive()`` gives calls with their receipts; ``pause_s`` is how long one stays away then."""

    queue: WebhookQueue
    receive: Callable[[], list[tuple[WebhookMessage, str]]]
    pause_s: Callable[[str], float]


@pytest.fixture(params=["memory", "sqs"])
def webhooks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> WebhooksUnderTest:
    """The queue of webhooks."""
    if request.param == "memory":
        memory = MemoryWebhookQueue()
        return WebhooksUnderTest(
            memory,
            lambda: [(message, str(place)) for place, message in enumerate(memory.sent)],
            memory.delays.__getitem__,
        )
    request.getfixturevalue("aws")
    clock = ManualClock()
    clock.move_sqs(monkeypatch)
    client = boto3.client("sqs", region_name=REGION)
    url = client.create_queue(QueueName="webhooks")["QueueUrl"]

    def receive() -> list[tuple[WebhookMessage, str]]:
        messages = client.receive_message(QueueUrl=url, VisibilityTimeout=3600).get("Messages", [])
        return [(WebhookMessage.from_json(one["Body"]), one["ReceiptHandle"]) for one in messages]

    def pause_s(_: str) -> float:
        (message,) = sqs_backends[DEFAULT_ACCOUNT_ID][REGION].queues["webhooks"]._messages
        return message.visible_at / 1000 - clock.now().timestamp()

    return WebhooksUnderTest(SqsWebhookQueue(client, url), receive, pause_s)


@dataclass(frozen=True)
class SecretsUnderTest:
    """Secrets, and how an operator sets an owner's."""

    secrets: WebhookSecrets
    put: Callable[[str, str], object]


@pytest.fixture(params=["memory", "secrets_manager"])
def secrets(request: pytest.FixtureRequest) -> SecretsUnderTest:
    """The secrets that webhooks are signed with."""
    if request.param == "memory":
        known: dict[str, str] = {}
        return SecretsUnderTest(MemoryWebhookSecrets(known), known.__setitem__)
    request.getfixturevalue("aws")
    client = boto3.client("secretsmanager", region_name=REGION)
    return SecretsUnderTest(
        SecretsManagerWebhookSecrets(client, "webhooks/"),
        lambda owner, secret: client.create_secret(Name=secret_name("webhooks/", owner), SecretString=secret),
    )
