"""For the change stream and the webhook queue: tell others that a job has ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from video_jobs.domain import changes
from video_jobs.domain.changes import Change
from video_jobs.domain.errors import ConflictError, WebhookDeliveryError, WebhookSecretError
from video_jobs.domain.job import Delivery, DeliveryState
from video_jobs.domain.job_events import JobEvent, event_of_change
from video_jobs.domain.webhooks import WebhookMessage, retry_delay_s, signed_headers
from video_jobs.use_cases.base import UseCases

DeliveryError = WebhookDeliveryError | WebhookSecretError


class Notify(UseCases):
    """Publish ends of jobs on the event bus, and call the URLs that jobs named."""

    def publish(self, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> JobEvent | None:
        """Publish one change of a job's item if it is an end. Calling it twice publishes it twice.

        Parameters
        ----------
        before, after
            The item's attributes; None if it was made or removed.

        Returns
        -------
        JobEvent or None
            What was published; None if the change was no end.
        """
        event = event_of_change(before, after)
        if event is None or after is None:
            return None
        message = WebhookMessage.of_event(event, after)
        if message is not None:
            self._ports.webhooks.send(message)  # first, so that a failing bus delays no call
        self._ports.events.publish(event)
        return event

    def deliver(self, message: WebhookMessage, attempt: int, receipt: str) -> None:
        """Make one call, attempt number ``attempt`` (from 1), and note on the job how it went.

        A crash between the call and the note makes the same call once more.

        Raises
        ------
        WebhookDeliveryError, WebhookSecretError
            If it was not delivered. The message comes back after a growing pause; after the last attempt
            it goes to the dead letters.
        """
        last = self._rules.webhook_attempts
        if attempt > last:  # the last attempt died before it could note anything
            self._give_up(message, receipt)
        status_code, error = self._call(message)
        state = DeliveryState.DELIVERED
        if error is not None:
            state = DeliveryState.RETRYING if attempt < last else DeliveryState.FAILED
        self._note(changes.record_delivery(message, self._delivery(state, attempt, status_code, error)))
        if error is not None:
            self._ports.webhooks.delay(receipt, retry_delay_s(attempt) if attempt < last else 0)
            raise error

    def _give_up(self, message: WebhookMessage, receipt: str) -> None:
        error = WebhookDeliveryError("The webhook was given up")
        delivery = self._delivery(DeliveryState.FAILED, self._rules.webhook_attempts, None, error)
        self._note(changes.give_up_delivery(message, delivery))
        self._ports.webhooks.delay(receipt, 0)
        raise error

    def _call(self, message: WebhookMessage) -> tuple[int | None, DeliveryError | None]:
        """The HTTP status, if there was one, and what went wrong."""
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
