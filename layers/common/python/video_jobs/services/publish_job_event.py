"""Tell the world of a job that ended: the event bus, and the URL that the job named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from video_jobs.domain.job_events import JobEvent, event_of_change
from video_jobs.domain.webhooks import WebhookMessage
from video_jobs.ports import EventBus, WebhookQueue


def publish_job_event(
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    *,
    events: Callable[[], EventBus],
    webhooks: Callable[[], WebhookQueue],
) -> JobEvent | None:
    """Publish one change of a job's item, where it is an end; doing it twice tells it twice, never not.

    Parameters
    ----------
    before, after
        The item's attributes; None where it was made or removed.

    Returns
    -------
    JobEvent or None
        What was told; None where the change was no end.
    """
    event = event_of_change(before, after)
    if event is None or after is None:
        return None
    message = WebhookMessage.of_event(event, after)
    if message is not None:
        webhooks().send(message)  # first, so that a bus that takes nothing holds up no call
    events().publish(event)
    return event
