"""The workers as a service on ECS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from video_jobs.adapters.aws.errors import error_code
from video_jobs.domain.errors import FleetError
from video_jobs.fleet_ports import WorkerService


class EcsClient(Protocol):
    """What is used of boto3's client."""

    def describe_services(self, *, cluster: str, services: list[str]) -> dict[str, Any]:
        """Look at services."""
        ...

    def update_service(self, *, cluster: str, service: str, desiredCount: int) -> Any:  # noqa: N803
        """Change a service."""
        ...


class EcsWorkerFleet:
    """One ECS service.

    Parameters
    ----------
    make_client
        Makes the client when it is first needed.
    cluster, service
        Names or ARNs; if ``service`` is empty, there is nothing to manage.
    """

    def __init__(self, make_client: Callable[[], EcsClient], cluster: str, service: str) -> None:
        self._make_client = make_client
        self._cluster, self._service = cluster, service

    @property
    def is_managed(self) -> bool:
        """Whether a service is configured."""
        return bool(self._service)

    def look(self) -> WorkerService:
        """Describe the service."""
        with _errors_translated():
            answer = self._client.describe_services(cluster=self._cluster, services=[self._service])
        active = [one for one in answer["services"] if one.get("status") == "ACTIVE"]
        if not active:
            raise FleetError("ECS has no active service of the workers")
        family_and_revision = active[0]["taskDefinition"].rpartition("/")[2]
        return WorkerService(active[0]["desiredCount"], family_and_revision, active[0]["runningCount"])

    def set_workers(self, count: int) -> None:
        """Set the service's desired count."""
        with _errors_translated():
            self._client.update_service(cluster=self._cluster, service=self._service, desiredCount=count)

    @cached_property
    def _client(self) -> EcsClient:
        return self._make_client()


@contextmanager
def _errors_translated() -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as exc:
        raise FleetError(f"ECS did not answer: {error_code(exc) or type(exc).__name__}") from exc
