"""Calls to the receivers of webhooks, which are not trusted.

The host name is resolved once, all of its addresses are checked, and the connection is made to a checked
address. Therefore it does not matter if the name resolves differently a moment later. A timer ends each
call, because a time limit for each read would not stop a receiver that sends one byte at a time.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPException, HTTPSConnection
from threading import Timer
from urllib.parse import urlsplit

from video_jobs.domain.errors import WebhookDeliveryError
from video_jobs.domain.webhooks import is_reachable

CALL_LIMIT_S = 15.0
"""For connecting, TLS and the head of the answer together."""

_CONNECT_LIMIT_S = 3.0
_HTTPS_PORT = 443

Resolve = Callable[[str, int], list[str]]


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, IPv4 first: a function outside a VPC has no way out over IPv6."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = dict.fromkeys((family != socket.AF_INET, str(where[0])) for family, *_, where in found)
    return [address for _, address in sorted(addresses, key=lambda one: one[0])]


class HttpsWebhookTransport:
    """HTTPS with verified certificates, one connection for each call, no proxy, no redirect.

    Parameters
    ----------
    allowed_networks
        Networks (CIDR) that may be called although they are not public.
    resolve
        Returns the addresses of a host; by default those of the system's resolver.
    limit_s
        Seconds after which a call without an answer is given up.
    """

    def __init__(
        self,
        allowed_networks: Sequence[str] = (),
        resolve: Resolve = resolve,
        limit_s: float = CALL_LIMIT_S,
    ) -> None:
        self._allowed_networks = allowed_networks
        self._resolve = resolve
        self._limit_s = limit_s

    def post(self, url: str, headers: Mapping[str, str], body: str) -> int:
        """POST once; the body of the answer is not read."""
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _HTTPS_PORT
        address = self._checked_address(host, port)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            with _connection(host, port, address, self._limit_s) as connection:
                connection.request("POST", target, body.encode(), {**headers, "host": parts.netloc})
                status = connection.getresponse().status
        except (OSError, HTTPException) as exc:
            raise WebhookDeliveryError(
                f"The call failed ({type(exc).__name__}); it must be answered within {self._limit_s:g} s"
            ) from None  # what the receiver sent stays out of the log
        if not 200 <= status < 300:
            raise WebhookDeliveryError(f"The receiver answered {status}; it must answer 2xx", status)
        return status

    def _checked_address(self, host: str, port: int) -> str:
        try:
            addresses = self._resolve(host, port)
        except (OSError, UnicodeError):
            raise WebhookDeliveryError("The host of the callback_url has no address") from None
        if not all(is_reachable(address, self._allowed_networks) for address in addresses):
            raise WebhookDeliveryError("The host of the callback_url has an address that may not be called")
        return addresses[0]


@contextmanager
def _connection(host: str, port: int, address: str, limit_s: float) -> Iterator[HTTPSConnection]:
    """A connection to ``address``, whose certificate is for ``host``; shut down when its time is over."""
    raw = socket.create_connection((address, port), min(_CONNECT_LIMIT_S, limit_s))
    raw.settimeout(limit_s)
    with raw.dup() as handle:  # TLS detaches ``raw``; this refers to the same connection
        timer = Timer(limit_s, _shut_down, [handle])
        timer.start()
        try:
            connection = HTTPSConnection(host, port)
            connection.sock = ssl.create_default_context().wrap_socket(raw, server_hostname=host)
            with connection.sock:
                yield connection
        finally:
            timer.cancel()
            timer.join()
            raw.close()


def _shut_down(handle: socket.socket) -> None:
    try:
        handle.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the receiver has closed it already
