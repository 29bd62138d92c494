"""The only place that binds adapters to ports."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from video_jobs.application import VideoJobs
from video_jobs.bindings import Ports
from video_jobs.domain.errors import SettingError
from video_jobs.settings import ServiceSettings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

    from video_jobs.adapters.aws.ecs import EcsClient


@lru_cache(maxsize=1)
def application() -> VideoJobs:
    """The application on AWS, with the settings of the environment; made once for each process."""
    settings = ServiceSettings.from_environment()
    return VideoJobs(aws_ports(settings), settings.rules)


def aws_ports(settings: ServiceSettings) -> Ports:
    """The ports on AWS. Each adapter is imported and made when it is first used."""
    makers: dict[str, Callable[[ServiceSettings], Any]] = {
        "clock": _clock,
        "ids": _ids,
        "jobs": _jobs,
        "storage": _storage,
        "uploads": _uploads,
        "queue": _queue,
        "events": _events,
        "webhooks": _webhooks,
        "webhook_secrets": _webhook_secrets,
        "webhook_transport": _webhook_transport,
        "fetches": _fetches,
        "source_reader": _source_reader,
        "metrics": _metrics,
        "fleet": _fleet,
        "fleet_records": _fleet_records,
        "accounts": _accounts,
        "segments": _segments,
        "speeds": _speeds,
    }
    return Ports(**{name: partial(make, settings) for name, make in makers.items()})


def sqs_client(region: str) -> SQSClient:
    """An SQS client."""
    import boto3

    return boto3.client("sqs", region_name=region)


def s3_client(region: str) -> S3Client:
    """An S3 client that signs with Signature Version 4, for the bucket's host in its region.

    By default, boto3 signs with an older version in several regions, which covers neither length nor type.
    It would also send a checksum with each part, which S3 refuses in an upload that began without.
    """
    import boto3
    from botocore.config import Config

    config = Config(
        signature_version="s3v4",
        request_checksum_calculation="when_required",
        s3={"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"},
    )
    return boto3.client("s3", region_name=region, config=config)


def ecs_client(region: str) -> EcsClient:
    """An ECS client that gives up well before its function must end."""
    import boto3
    from botocore.config import Config

    config = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2})
    client: EcsClient = boto3.client("ecs", region_name=region, config=config)
    return client


def _clock(_: ServiceSettings) -> Any:
    from video_jobs.adapters.system import SystemClock

    return SystemClock()


def _ids(_: ServiceSettings) -> Any:
    from video_jobs.adapters.system import Uuid4Factory

    return Uuid4Factory()


def _jobs(settings: ServiceSettings) -> Any:
    from video_jobs.adapters.aws.dynamodb import DynamoDbJobRepository

    return DynamoDbJobRepository(settings.table_name, settings.aws_region, settings.state_table_name)


def _storage(settings: ServiceSettings) -> Any:
    from video_jobs.adapters.aws.s3 import S3Storage

    return S3Storage(s3_client(settings.aws_region), settings.bucket_name)


def _uploads(settings: ServiceSettings) -> Any:
    from video_jobs.adapters.aws.s3_multipart import S3MultipartUploads

    return S3MultipartUploads(s3_client(settings.aws_region), settings.bucket_name)


def _queue(settings: ServiceSettings) -> Any:
    from video_jobs.adapters.aws.sqs import SqsQueue

    url = _needed("JOBS_QUEUE_URL", settings.jobs_queue_url)
    return SqsQueue(sqs_client(settings.aws_region), url, strict_order=settings.queue_order == "strict")


def _events(settings: ServiceSettings) -> Any:
    import boto3

    from video_jobs.adapters.aws.eventbridge import EventBridgeBus

    client = boto3.client("events", region_name=settings.aws_region)
    return EventBridgeBus(client, settings.event_bus_name)


def _webhooks(settings: ServiceSettings) -> Any:
    from video_jobs.adapters.aws.sqs_webhooks import SqsWebhookQueue

    url = _needed("WEBHOOKS_QUEUE_URL", settings.webhooks_queue_url)
    return SqsWebhookQueue(sqs_client(settings.aws_region), url)


def _webhook_secrets(settings: ServiceSettings) -> Any:
    import boto3

    from video_jobs.adapters.aws.secrets_manager import SecretsManagerWebhookSecrets

    client = boto3.client("secretsmanager", region_name=settings.aws_region)
    return SecretsManagerWebhookSecrets(client, settings.webhook_secret_prefix)


def _webhook_transport(settings: ServiceSettings) -> Any:
    from video_jobs.adapters.webhook_http import HttpsWebhookTransport

    return HttpsWebhookTransport(settings.rules.webhook_networks)


def _fetches(settings: ServiceSettings) -> Any:
    from video_jobs.adapters.aws.sqs_sources import SqsSourceQueue

    url = _needed("SOURCES_QUEUE_URL", settings.sources_queue_url)
    return SqsSourceQueue(sqs_client(settings.aws_region), url)


def _source_reader(_: ServiceSettings) -> Any:
    from video_jobs.adapters.source_http import HttpsSourceReader

    return HttpsSourceReader()


def _metrics(settings: ServiceSettings) -> Any:
    from video_jobs.adapters.aws.emf import EmfMetrics

    return EmfMetrics(settings.metrics_namespace)


def _fleet(settings: ServiceSettings) -> Any:
    from video_jobs.adapters.aws.ecs import EcsWorkerFleet

    make_client = partial(ecs_client, settings.aws_region)
    return EcsWorkerFleet(make_client, settings.worker_cluster, settings.worker_service)


def _fleet_records(settings: ServiceSettings) -> Any:
    from video_jobs.adapters.aws.fleet_item import DynamoDbFleetRepository

    table = _needed("STATE_TABLE_NAME", settings.state_table_name)
    return DynamoDbFleetRepository(table, settings.aws_region)


def _segments(settings: ServiceSettings) -> Any:
    from video_jobs.adapters.aws.segment_items import DynamoDbSegmentRepository

    table = _needed("STATE_TABLE_NAME", settings.state_table_name)
    return DynamoDbSegmentRepository(table, settings.aws_region)


def _accounts(settings: ServiceSettings) -> Any:
    from video_jobs.adapters.aws.account_item import DynamoDbAccountRepository

    table = _needed("STATE_TABLE_NAME", settings.state_table_name)
    return DynamoDbAccountRepository(table, settings.aws_region)


def _speeds(settings: ServiceSettings) -> Any:
    from video_jobs.adapters.aws.speed_items import DynamoDbSpeedRepository

    table = _needed("STATE_TABLE_NAME", settings.state_table_name)
    return DynamoDbSpeedRepository(table, settings.aws_region)


def _needed(variable: str, value: str) -> str:
    if not value:
        raise SettingError(f"Set the environment variable {variable}")
    return value
