"""The changes that note what became of a job's webhook."""

from __future__ import annotations

from video_jobs.domain.changes import Change, Expected
from video_jobs.domain.job import Delivery, DeliveryState, JobStatus
from video_jobs.domain.webhooks import WebhookMessage


def record_delivery(message: WebhookMessage, delivery: Delivery) -> Change:
    """Record the outcome of a call; a delivered call stays delivered."""
    return _delivery(message, delivery, frozenset({DeliveryState.DELIVERED}))


def give_up_delivery(message: WebhookMessage, delivery: Delivery) -> Change:
    """Record that the last call left no outcome; if one is recorded already, it stays."""
    return _delivery(message, delivery, frozenset({DeliveryState.DELIVERED, DeliveryState.FAILED}))


def _delivery(message: WebhookMessage, delivery: Delivery, final: frozenset[DeliveryState]) -> Change:
    return Change(
        job_id=message.job_id,
        action="record_delivery",
        expected=Expected(
            status=JobStatus(message.status), generation=message.generation, delivery_not=final
        ),
        values={"delivery": delivery},
    )
