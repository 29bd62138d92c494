"""The ports that tell of the end of a job: the event bus, and the webhooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from video_jobs.domain.job_events import JobEvent
from video_jobs.domain.webhooks import WebhookMessage


class EventBus(Protocol):
    """Publishes events; each is delivered at least once."""

    def publish(self, event: JobEvent) -> None:
        """Publish one event.

        Raises
        ------
        TransientError
            If the bus did not accept it.
        """
        ...


class WebhookQueue(Protocol):
    """Holds the webhook calls that are still to be made; `deliver_webhook` receives each at least once."""

    def send(self, message: WebhookMessage) -> None:
        """Queue one call."""
        ...

    def delay(self, receipt: str, seconds: int) -> None:
        """Have a received message delivered again ``seconds`` from now."""
        ...


class WebhookSecrets(Protocol):
    """The secrets that webhooks are signed with; each owner has one."""

    def secret_of(self, owner: str) -> str:
        """The owner's secret; while it is being replaced, the old and the new one, separated by a space.

        Raises
        ------
        WebhookSecretError
            If the owner has none.
        """
        ...


class WebhookTransport(Protocol):
    """Calls the receivers of webhooks."""

    def post(self, url: str, headers: Mapping[str, str], body: str) -> int:
        """POST once to a checked address, follow no redirect, and return the HTTP status (always 2xx).

        Raises
        ------
        WebhookDeliveryError
            If the address may not be called, or it did not answer 2xx in time.
        """
        ...
