"""Use cases for the change stream and the webhook queue: tell others that a job has ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from video_jobs.domain import delivery_changes
from video_jobs.domain.changes import Change
from video_jobs.domain.errors import ConflictError, WebhookDeliveryError, WebhookSecretError
from video_jobs.domain.job import Delivery, DeliveryState
from video_jobs.domain.job_events import JobEvent, event_of_change
from video_jobs.domain.webhooks import WebhookMessage, retry_delay_s, signed_headers
from video_jobs.use_cases.base import UseCases

DeliveryError = WebhookDeliveryError | WebhookSecretError


class Notify(UseCases):
    """Publish the ends of jobs on the event bus, and call the ``callback_url`` of jobs."""

    def publish(self, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> JobEvent | None:
        """Publish a change of a job's item if it ended the job; a repeated call publishes it again.

        Parameters
        ----------
        before, after
            The item's attributes before and after the change; None if there was no item.

        Returns
        -------
        JobEvent or None
            The published event; None if the change did not end the job.
        """
        event = event_of_change(before, after)
        if event is not None:
            self._ports.events.publish(event)
        return event

    def queue_webhook(
        self, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
    ) -> WebhookMessage | None:
        """Queue the call about a change that ended a job, if the job has a ``callback_url``.

        Apart from `publish`, so that neither waits while the bus or the queue is away. A repeated call
        queues it again; `deliver` makes it once.

        Returns
        -------
        WebhookMessage or None
            The queued call; None if there is none to be made.
        """
        event = event_of_change(before, after)
        if event is None or after is None:
            return None
        message = WebhookMessage.of_event(event, after)
        if message is not None:
            self._ports.webhooks.send(message)
        return message

    def deliver(self, message: WebhookMessage, attempt: int, receipt: str) -> bool:
        """Make one call, attempt number ``attempt`` (from 1), and record its outcome on the job.

        If the process dies before the outcome is recorded, the same call is made again.

        Returns
        -------
        bool
            Whether it was delivered now; False if another copy of the message was delivered before.

        Raises
        ------
        WebhookDeliveryError, WebhookSecretError
            If it was not delivered. The queue delivers the message again after a pause that grows with
            each attempt; after the last attempt it becomes a dead letter.
        """
        if self._was_delivered(message):
            return False
        last = self._rules.webhook_attempts
        if attempt > last:  # the last attempt died before it recorded its outcome
            self._give_up(message, receipt)
        status_code, error = self._call(message)
        state = DeliveryState.DELIVERED
        if error is not None:
            state = DeliveryState.RETRYING if attempt < last else DeliveryState.FAILED
        self._note(
            delivery_changes.record_delivery(message, self._delivery(state, attempt, status_code, error))
        )
        if error is not None:
            self._ports.webhooks.delay(receipt, retry_delay_s(attempt) if attempt < last else 0)
            raise error
        return True

    def _was_delivered(self, message: WebhookMessage) -> bool:
        job = self._ports.jobs.get_by_id(message.job_id)
        if job is None or job.delivery is None or job.generation != message.generation:
            return False
        return job.delivery.state is DeliveryState.DELIVERED

    def _give_up(self, message: WebhookMessage, receipt: str) -> None:
        error = WebhookDeliveryError("The webhook was given up")
        delivery = self._delivery(DeliveryState.FAILED, self._rules.webhook_attempts, None, error)
        self._note(delivery_changes.give_up_delivery(message, delivery))
        self._ports.webhooks.delay(receipt, 0)
        raise error

    def _call(self, message: WebhookMessage) -> tuple[int | None, DeliveryError | None]:
        """The HTTP status, if the receiver answered, and the error, if there was one."""
        try:
            secret = self._ports.webhook_secrets.secret_of(message.owner)
            headers = signed_headers(message.event_id, self._now(), message.body, secret)
            return self._ports.webhook_transport.post(message.callback_url, headers, message.body), None
        except WebhookDeliveryError as exc:
            return exc.status_code, exc
        except WebhookSecretError as exc:
            return None, exc

    def _delivery(
        self, state: DeliveryState, attempts: int, status_code: int | None, error: DeliveryError | None
    ) -> Delivery:
        return Delivery(
            state=state,
            attempts=attempts,
            updated_at=self._now(),
            status_code=status_code,
            error=None if error is None else error.message,
        )

    def _note(self, change: Change) -> None:
        try:
            self._ports.jobs.update_status(change)
        except ConflictError:
            return  # the job was retried or deleted, or another copy of this message was delivered
