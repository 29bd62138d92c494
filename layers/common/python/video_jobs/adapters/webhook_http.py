"""Calls to the receivers of webhooks, which are strangers: only to addresses that may be reached.

The name is resolved once, every address that it stands for is checked, and the connection goes to the
checked address itself, so a name that is resolved differently a moment later changes nothing.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from video_jobs.domain.errors import WebhookDeliveryError
from video_jobs.domain.webhooks import is_reachable

_TIMEOUT = urllib3.Timeout(connect=3, read=10)
_HTTPS_PORT = 443

Resolve = Callable[[str, int], list[str]]


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, IPv4 first: a function outside a VPC has no way out over IPv6."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = dict.fromkeys((family != socket.AF_INET, str(where[0])) for family, *_, where in found)
    return [address for _, address in sorted(addresses, key=lambda one: one[0])]


class HttpsWebhookTransport:
    """HTTPS with verified certificates, one connection a call.

    Parameters
    ----------
    allowed_networks
        Networks (CIDR) that may be called although they are not public.
    """

    def __init__(self, allowed_networks: Sequence[str] = (), resolve: Resolve = resolve) -> None:
        self._allowed_networks = allowed_networks
        self._resolve = resolve

    def post(self, url: str, headers: Mapping[str, str], body: str) -> int:
        """POST once; the body of the answer is not read."""
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _HTTPS_PORT
        address = self._checked_address(host, port)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        named = {**headers, "host": parts.netloc}
        with urllib3.HTTPSConnectionPool(
            address, port, server_hostname=host, assert_hostname=host, cert_reqs="CERT_REQUIRED"
        ) as pool:
            status = _status(pool, target, named, body)
        if not 200 <= status < 300:
            raise WebhookDeliveryError(f"The receiver answered {status}; it must answer 2xx", status)
        return status

    def _checked_address(self, host: str, port: int) -> str:
        try:
            addresses = self._resolve(host, port)
        except OSError:
            raise WebhookDeliveryError("The host of the callback_url has no address") from None
        if not all(is_reachable(address, self._allowed_networks) for address in addresses):
            raise WebhookDeliveryError("The host of the callback_url has an address that may not be called")
        return addresses[0]


def _status(pool: urllib3.HTTPSConnectionPool, target: str, headers: Mapping[str, str], body: str) -> int:
    try:
        answer = pool.urlopen(
            "POST",
            target,
            body=body.encode(),
            headers=dict(headers),
            redirect=False,
            retries=False,
            timeout=_TIMEOUT,
            preload_content=False,
        )
    except HTTPError as exc:  # its own text may hold the URL, which may hold a token
        raise WebhookDeliveryError(f"The receiver did not answer ({type(exc).__name__})") from None
    answer.close()
    return int(answer.status)
