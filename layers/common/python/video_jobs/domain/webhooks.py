"""Webhooks: allowed addresses, messages, signatures and retries.

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
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from video_jobs.domain.errors import InvalidRequestError, WebhookSecretError
from video_jobs.domain.job import JobStatus
from video_jobs.domain.job_events import JobEvent

if TYPE_CHECKING:
    from standardwebhooks import Webhook

MAX_URL_LENGTH = 2048
SECRET_PREFIX = "whsec_"  # noqa: S105 - it marks a secret and is none
_SECRET = re.compile(r"(?:whsec_)?(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
FIRST_RETRY_S = 10
LONGEST_RETRY_S = 6 * 3600
"""The longest pause; SQS can delay a message by at most 12 hours."""

Address = IPv4Address | IPv6Address
_WRAPPING_IPV4 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"), IPv6Network("::/96"))
"""NAT64 (well-known and local) and IPv4-compatible: the last four bytes are the IPv4 address."""
_METADATA = (IPv6Address("fd00:ec2::254"), IPv6Address("fd00:ec2::23"))
_NUMERIC_LABEL = re.compile(r"\d+|0x[0-9a-f]*")
"""If the last label of a name is numeric, the name is an IPv4 address (2130706433, 127.1, 0x7f.1)."""
_LOCAL_NAMES = ("localhost", ".localhost", ".local", ".internal")


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
    """Refuse a URL that cannot be a public HTTPS address.

    The addresses that its host name resolves to are checked at each delivery.

    Raises
    ------
    InvalidRequestError
        If the URL is refused; the message says why.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise InvalidRequestError("callback_url: this is not a URL") from None
    if parts.scheme != "https" or not host:
        raise InvalidRequestError("callback_url: must begin with https:// and name a host")
    if not _is_host(host):
        raise InvalidRequestError("callback_url: its host is not a valid name")
    if parts.username is not None or parts.fragment:
        raise InvalidRequestError("callback_url: must have no user name, password or fragment")
    if not url.isascii() or not url.isprintable() or " " in url or len(url) > MAX_URL_LENGTH:
        raise InvalidRequestError(f"callback_url: at most {MAX_URL_LENGTH} printable ASCII characters")
    if not _may_be_reachable(host, allowed_networks):
        raise InvalidRequestError("callback_url: must not name a private, loopback or metadata address")


def is_reachable(address: str, allowed_networks: Sequence[str] = ()) -> bool:
    """Whether webhooks may connect to an IP address, which must be public or in ``allowed_networks``.

    Link-local addresses, where the metadata services are, may never be called.
    """
    plain = _unwrapped(ip_address(address.partition("%")[0]))
    if plain.is_link_local or plain in _METADATA:
        return False
    is_site_local = isinstance(plain, IPv6Address) and plain.is_site_local
    if plain.is_global and not plain.is_multicast and not is_site_local:
        return True
    return any(plain in ip_network(network) for network in allowed_networks)


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


def _is_host(host: str) -> bool:
    try:
        return bool(host.encode("idna")) and not host.endswith(".")
    except UnicodeError:  # an empty label, or one that is too long
        return False


def _may_be_reachable(host: str, allowed_networks: Sequence[str]) -> bool:
    try:
        return is_reachable(host, allowed_networks)
    except ValueError:  # a name, not an address
        name = host.rstrip(".")
        return not name.endswith(_LOCAL_NAMES) and not _NUMERIC_LABEL.fullmatch(name.rpartition(".")[2])


def _unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 address contains, or the address itself."""
    if isinstance(address, IPv4Address):
        return address
    inside = address.ipv4_mapped or address.sixtofour
    if inside is None and any(address in network for network in _WRAPPING_IPV4):
        inside = IPv4Address(int(address) & 0xFFFFFFFF)
    return inside or address
