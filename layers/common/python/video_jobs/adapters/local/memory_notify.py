"""In-memory counterparts of the event bus, the webhook queue and the webhook secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from video_jobs.domain.errors import WebhookSecretError
from video_jobs.domain.job_events import JobEvent
from video_jobs.domain.webhooks import WebhookMessage


@dataclass
class MemoryEventBus:
    """Keeps the events that were published, oldest first."""

    published: list[JobEvent] = field(default_factory=list)

    def publish(self, event: JobEvent) -> None:
        """Keep one event."""
        self.published.append(event)


@dataclass
class MemoryWebhookQueue:
    """Keeps the calls that were queued, and the delays by receipt."""

    sent: list[WebhookMessage] = field(default_factory=list)
    delays: dict[str, int] = field(default_factory=dict)

    def send(self, message: WebhookMessage) -> None:
        """Keep one call."""
        self.sent.append(message)

    def delay(self, receipt: str, seconds: int) -> None:
        """Keep the delay of a call."""
        self.delays[receipt] = seconds


@dataclass
class MemoryWebhookSecrets:
    """The secrets by owner."""

    secrets: Mapping[str, str] = field(default_factory=dict)

    def secret_of(self, owner: str) -> str:
        """The owner's secret."""
        if owner not in self.secrets:
            raise WebhookSecretError
        return self.secrets[owner]
