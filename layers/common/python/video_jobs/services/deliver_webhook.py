"""Call the URL that a job named, and note on the job how that went."""

from __future__ import annotations

from video_jobs.domain import transitions
from video_jobs.domain.errors import ConflictError, WebhookDeliveryError, WebhookSecretError
from video_jobs.domain.job import to_iso
from video_jobs.domain.transitions import Transition
from video_jobs.domain.webhooks import WebhookMessage, WebhookState, retry_delay_s, signed_headers
from video_jobs.ports import Clock, JobRepository, WebhookQueue, WebhookSecrets, WebhookTransport

Outcome = tuple[int | None, WebhookDeliveryError | WebhookSecretError | None]
"""The HTTP status, where there was one, and what went wrong."""


def deliver_webhook(
    message: WebhookMessage,
    attempt: int,
    receipt: str,
    *,
    max_attempts: int,
    jobs: JobRepository,
    queue: WebhookQueue,
    secrets: WebhookSecrets,
    transport: WebhookTransport,
    clock: Clock,
) -> None:
    """Deliver one message, attempt number ``attempt`` (from 1); a crash after the call calls once more.

    Raises
    ------
    WebhookDeliveryError, WebhookSecretError
        If it was not delivered; the message comes back after a pause that grows, the last goes to the
        dead letters.
    """
    is_over = attempt > max_attempts  # the last attempt died before it could say so
    status_code, error = _given_up() if is_over else _call(message, secrets, transport, clock)
    state = _state(error, attempt, max_attempts)
    note = {
        "state": str(state),
        "attempts": min(attempt, max_attempts),
        "status_code": status_code,
        "error": None if error is None else error.message,
        "updated_at": to_iso(clock.now()),
    }
    unless = WebhookState.FAILED if is_over else None  # then the job says why already
    _record(transitions.record_webhook(message, webhook=note, unless=unless), message.job_id, jobs)
    if error is not None:
        queue.delay(receipt, retry_delay_s(attempt) if state is WebhookState.RETRYING else 0)
        raise error


def _call(
    message: WebhookMessage, secrets: WebhookSecrets, transport: WebhookTransport, clock: Clock
) -> Outcome:
    try:
        secret = secrets.secret_of(message.owner)
        headers = signed_headers(message.event_id, clock.now(), message.body, secret)
        return transport.post(message.callback_url, headers, message.body), None
    except WebhookDeliveryError as exc:
        return exc.status_code, exc
    except WebhookSecretError as exc:
        return None, exc


def _given_up() -> Outcome:
    return None, WebhookDeliveryError("The webhook was given up")


def _state(error: Exception | None, attempt: int, max_attempts: int) -> WebhookState:
    if error is None:
        return WebhookState.DELIVERED
    return WebhookState.RETRYING if attempt < max_attempts else WebhookState.FAILED


def _record(change: Transition, job_id: str, jobs: JobRepository) -> None:
    try:
        jobs.update_status(job_id, change)
    except ConflictError:
        return  # the job was retried or deleted, or a twin of this message delivered: it is told all the same
