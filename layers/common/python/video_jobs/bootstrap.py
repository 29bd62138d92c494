"""The only place that wires adapters to services."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from video_jobs.domain.errors import SettingError
from video_jobs.domain.job import Job
from video_jobs.ports import (
    Clock,
    EventBus,
    IdFactory,
    JobRepository,
    MultipartUploads,
    QueueService,
    StorageService,
    WebhookQueue,
    WebhookSecrets,
    WebhookTransport,
)
from video_jobs.services.submit_job import SubmitLimits
from video_jobs.settings import ServiceSettings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient


class AwsServices:
    """The adapters on AWS, each made when it is first asked for."""

    def __init__(self, settings: ServiceSettings) -> None:
        self.settings = settings

    @cached_property
    def clock(self) -> Clock:
        """The machine's clock."""
        from video_jobs.adapters.system import SystemClock

        return SystemClock()

    @cached_property
    def ids(self) -> IdFactory:
        """Random job ids."""
        from video_jobs.adapters.system import Uuid4Factory

        return Uuid4Factory()

    @cached_property
    def jobs(self) -> JobRepository:
        """The job table."""
        from video_jobs.adapters.dynamodb import DynamoDbJobRepository

        return DynamoDbJobRepository(self.settings.table_name, self.settings.aws_region)

    @cached_property
    def storage(self) -> StorageService:
        """The bucket."""
        from video_jobs.adapters.s3 import S3Storage

        return S3Storage(s3_client(self.settings.aws_region), self.settings.bucket_name)

    @cached_property
    def uploads(self) -> MultipartUploads:
        """Uploads in parts, into the bucket."""
        from video_jobs.adapters.s3_multipart import S3MultipartUploads

        return S3MultipartUploads(s3_client(self.settings.aws_region), self.settings.bucket_name)

    @cached_property
    def events(self) -> EventBus:
        """The event bus."""
        import boto3

        from video_jobs.adapters.eventbridge import EventBridgeBus

        client = boto3.client("events", region_name=self.settings.aws_region)
        return EventBridgeBus(client, self.settings.event_bus_name)

    @cached_property
    def webhooks(self) -> WebhookQueue:
        """The queue of webhooks."""
        from video_jobs.adapters.sqs_webhooks import SqsWebhookQueue

        url = _needed("WEBHOOKS_QUEUE_URL", self.settings.webhooks_queue_url)
        return SqsWebhookQueue(sqs_client(self.settings.aws_region), url)

    @cached_property
    def webhook_secrets(self) -> WebhookSecrets:
        """The owners' secrets."""
        import boto3

        from video_jobs.adapters.secrets_manager import SecretsManagerWebhookSecrets

        client = boto3.client("secretsmanager", region_name=self.settings.aws_region)
        return SecretsManagerWebhookSecrets(client, self.settings.webhook_secret_prefix)

    @cached_property
    def webhook_transport(self) -> WebhookTransport:
        """Calls to receivers."""
        from video_jobs.adapters.webhook_http import HttpsWebhookTransport

        return HttpsWebhookTransport(self.settings.allowed_webhook_networks)

    @cached_property
    def queue(self) -> QueueService:
        """The jobs queue."""
        from video_jobs.adapters.sqs import SqsQueue

        url = _needed("JOBS_QUEUE_URL", self.settings.jobs_queue_url)
        strict = self.settings.queue_order == "strict"
        return SqsQueue(sqs_client(self.settings.aws_region), url, strict_order=strict)

    @property
    def keep(self) -> timedelta:
        """How long an ended job is kept."""
        return timedelta(days=self.settings.retention_days)

    @property
    def submit_limits(self) -> SubmitLimits:
        """What a client may submit."""
        return SubmitLimits(
            known_pipelines=self.settings.known_pipelines,
            max_body_bytes=self.settings.max_body_bytes,
            max_upload_bytes=self.settings.max_upload_bytes,
            max_multipart_bytes=self.settings.max_multipart_bytes,
            upload_expires=timedelta(seconds=self.settings.upload_expires_s),
            part_frames=self.settings.part_frames,
            webhook_networks=self.settings.allowed_webhook_networks,
        )

    def accept_upload(self, key: str, version: str | None = None) -> Job | None:
        """`services.accept_upload` with everything it needs."""
        from video_jobs.services.accept_upload import accept_upload

        return accept_upload(
            key,
            version,
            jobs=self.jobs,
            storage=self.storage,
            queue=self.queue,
            clock=self.clock,
            max_upload_bytes=self.settings.max_upload_bytes,
            keep=self.keep,
        )


def sqs_client(region: str) -> SQSClient:
    """A client of the queues."""
    import boto3

    return boto3.client("sqs", region_name=region)


def s3_client(region: str) -> S3Client:
    """A client that signs with Signature Version 4 and names the bucket in a regional host.

    Left alone, boto3 still signs requests the old way in several regions, without length and type.
    """
    import boto3
    from botocore.config import Config

    config = Config(
        signature_version="s3v4",
        s3={"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"},
    )
    return boto3.client("s3", region_name=region, config=config)


def _needed(variable: str, value: str) -> str:
    if not value:
        raise SettingError(f"Set the environment variable {variable}")
    return value


@lru_cache(maxsize=1)
def aws_services() -> AwsServices:
    """The services as the environment sets them, made once a process."""
    return AwsServices(ServiceSettings.from_environment())
