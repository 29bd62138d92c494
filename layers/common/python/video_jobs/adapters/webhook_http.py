"""Calls to the receivers of webhooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http.client import HTTPException
from urllib.parse import urlsplit

from video_jobs.adapters.pinned_https import (
    NoAddressError,
    Resolve,
    UnreachableAddressError,
    checked_address,
    pinned_connection,
    resolve,
)
from video_jobs.domain.errors import WebhookDeliveryError

CALL_LIMIT_S = 15.0
"""For connecting, TLS and the head of the answer together."""

_HTTPS_PORT = 443


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
            with pinned_connection(host, (address, port), self._limit_s) as connection:
                connection.http.request("POST", target, body.encode(), {**headers, "host": parts.netloc})
                status = connection.http.getresponse().status
        except (OSError, HTTPException) as exc:
            raise WebhookDeliveryError(
                f"The call failed ({type(exc).__name__}); it must be answered within {self._limit_s:g} s"
            ) from None  # what the receiver sent stays out of the log
        if not 200 <= status < 300:
            raise WebhookDeliveryError(f"The receiver answered {status}; it must answer 2xx", status)
        return status

    def _checked_address(self, host: str, port: int) -> str:
        try:
            return checked_address(host, port, self._resolve, self._allowed_networks)
        except NoAddressError:
            raise WebhookDeliveryError("The host of the callback_url has no address") from None
        except UnreachableAddressError:
            raise WebhookDeliveryError(
                "The host of the callback_url has an address that may not be called"
            ) from None
