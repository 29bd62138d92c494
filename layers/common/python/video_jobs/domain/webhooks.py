"""Webhooks: messages, signatures and retries.

The request follows the Standard Webhooks specification (standardwebhooks.com), version 1: the headers
``webhook-id``, ``webhook-timestamp`` (Unix seconds) and ``webhook-signature`` (``v1,`` and the base64 of an
HMAC-SHA256 over ``id.timestamp.body``). A secret is ``whsec_`` and the base64 of the key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from video_jobs.domain.addresses import check_https_url
from video_jobs.domain.errors import InvalidRequestError, WebhookSecretError
from video_jobs.domain.job import JobStatus
from video_jobs.domain.job_events import JobEvent

if TYPE_CHECKING:
    from standardwebhooks import Webhook

SECRET_PREFIX = "whsec_"  # noqa: S105 - it marks a secret and is none
_SECRET = re.compile(r"(?:whsec_)?(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
FIRST_RETRY_S = 10
LONGEST_RETRY_S = 6 * 3600
"""The longest pause; SQS can delay a message by at most 12 hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookMessage:
    """A call to ``callback_url`` about the end of a job; ``body`` is the JSON to send."""

    job_id: str
    owner: str
    status: str
    generation: int
    callback_url: str
    event_id: str
    body: str

    @classmethod
    def of_event(cls, event: JobEvent, job: Mapping[str, Any]) -> Self | None:
        """The message for an event of the job with this item; None if the job has no ``callback_url``."""
        url = job.get("callback_url")
        if not url:
            return None
        ended_at = event.detail["ended_at"]
        kind = "job.completed" if event.detail["status"] == JobStatus.COMPLETED else "job.failed"
        body = {"type": kind, "timestamp": ended_at, "data": dict(event.detail)}
        return cls(
            job_id=event.detail["job_id"],
            owner=event.detail["owner"],
            status=event.detail["status"],
            generation=int(job["generation"]),
            callback_url=url,
            event_id=event.detail["event_id"],
            body=json.dumps(body, sort_keys=True),
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Parse the output of `to_json`."""
        return cls(**json.loads(text))

    def to_json(self) -> str:
        """The message as the body of a queue message."""
        return json.dumps(asdict(self))


def check_callback_url(url: str, allowed_networks: Sequence[str] = ()) -> None:
    """Refuse a URL that cannot be a public HTTPS address (`addresses.check_https_url`).

    Raises
    ------
    InvalidRequestError
        If the URL is refused; the message says why.
    """
    try:
        check_https_url(url, allowed_networks)
    except ValueError as exc:
        raise InvalidRequestError(f"callback_url: {exc}") from None


def signed_headers(message_id: str, sent_at: datetime, body: str, secrets: str) -> dict[str, str]:
    """The headers of a delivery, with a signature for each of ``secrets``, which a space separates.

    Raises
    ------
    WebhookSecretError
        If there is no secret, or one is not ``whsec_`` and base64.
    """
    signatures = [_webhook(secret).sign(message_id, sent_at, body) for secret in secrets.split()]
    if not signatures:
        raise WebhookSecretError
    return {
        "content-type": "application/json",
        "user-agent": "ForgeSyte-Video-Jobs",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(sent_at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def retry_delay_s(attempt: int) -> int:
    """Seconds to wait after attempt number ``attempt``: 10, 30, 90, ..."""
    delay_s: int = FIRST_RETRY_S * 3 ** (attempt - 1)
    return min(LONGEST_RETRY_S, delay_s)


def _webhook(secret: str) -> Webhook:
    from standardwebhooks import Webhook  # only the function that delivers needs it

    if not _SECRET.fullmatch(secret):  # the library skips characters that are not base64
        raise WebhookSecretError
    return Webhook(secret)
