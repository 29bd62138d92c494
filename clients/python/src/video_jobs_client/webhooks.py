"""Calls of the service to ``callback_url``: is this one genuine, and what does it say?"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError, WebhookVerificationError

from video_jobs_client.errors import UnexpectedAnswerError, WebhookError
from video_jobs_client.models.base import NOT_AS_EXPECTED
from video_jobs_client.models.events import EndedJob, JobEvent

__all__ = ["EndedJob", "JobEvent", "verify"]


def verify(body: bytes | bytearray | memoryview | str, headers: Mapping[str, str], secret: str) -> JobEvent:
    """The event in a call, if it comes from the service and is at most five minutes old.

    Parameters
    ----------
    body
        The body as it was received; JSON that was parsed and written again has another signature.
    headers
        Those of the request, in any case.
    secret
        The secret of the owner, ``whsec_`` and base64. While it is being replaced, calls are signed with the
        old one and the new one, so that either is good.

    Raises
    ------
    WebhookError
        If the call is not genuine, or if the secret is none: answer with 400, and use nothing of the call.
    UnexpectedAnswerError
        If a genuine call holds no event that this package knows.

    Examples
    --------
    In the handler of a request, with its body and headers:

    >>> event = webhooks.verify(body, headers, secret)
    >>> event.type, event.data.frames_done, event.data.error
    ('job.completed', 40, None)
    """
    content = body if isinstance(body, str) else memoryview(body).tobytes()
    try:
        webhook = Webhook(secret)
    except (EmptyWebhookSecretError, ValueError):
        raise WebhookError("The webhook secret must be whsec_ and base64, as its operator gave it") from None
    try:
        webhook.verify(content, dict(headers), json_parse=False)
    except WebhookVerificationError as error:
        raise WebhookError(f"The webhook is not genuine: {error}") from None
    except ValueError:  # what was sent as a signature is none
        raise WebhookError("The webhook is not genuine: its headers or body are malformed") from None
    try:
        return msgspec.json.decode(content, type=JobEvent)
    except NOT_AS_EXPECTED as error:
        raise UnexpectedAnswerError(
            f"The webhook is signed, but is no event of a job ({error}): install a newer video-jobs-client"
        ) from None
