"""HTTPS connections to hosts that clients name, which are not trusted.

The host name is resolved once, all of its addresses are checked, and the connection is made to a checked
address. Therefore it does not matter if the name resolves differently a moment later. A timer ends each
connection, because a time limit for each read would not stop a server that sends one byte at a time.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPSConnection
from threading import Timer

from video_jobs.domain.addresses import is_reachable

_CONNECT_LIMIT_S = 3.0

Resolve = Callable[[str, int], list[str]]
Connect = Callable[[tuple[str, int], float], socket.socket]


class NoAddressError(Exception):
    """A host name that has no address."""


class UnreachableAddressError(Exception):
    """A host that has an address which may not be called."""


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, IPv4 first: a function outside a VPC has no way out over IPv6."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = dict.fromkeys((family != socket.AF_INET, str(where[0])) for family, *_, where in found)
    return [address for _, address in sorted(addresses, key=lambda one: one[0])]


def checked_address(host: str, port: int, resolve: Resolve, allowed_networks: Sequence[str] = ()) -> str:
    """An address of the host, all of whose addresses may be called.

    Raises
    ------
    NoAddressError, UnreachableAddressError
        If it has none, or one that may not be called.
    """
    try:
        addresses = resolve(host, port)
    except (OSError, UnicodeError):
        raise NoAddressError from None
    if not all(is_reachable(address, allowed_networks) for address in addresses):
        raise UnreachableAddressError
    return addresses[0]


class TimedConnection:
    """A connection that is shut down when its time is over; `allow` gives it more time."""

    def __init__(self, http: HTTPSConnection, handle: socket.socket, limit_s: float) -> None:
        self.http = http
        self._handle = handle
        self._timer = _started(handle, limit_s)

    def allow(self, seconds: float) -> None:
        """Let the connection end only ``seconds`` from now."""
        self.stop()
        self._timer = _started(self._handle, seconds)

    def stop(self) -> None:
        """Let it last until it is closed."""
        self._timer.cancel()
        self._timer.join()


@contextmanager
def pinned_connection(
    host: str,
    where: tuple[str, int],
    limit_s: float,
    connect: Connect = socket.create_connection,
    *,
    whole: bool = False,
) -> Iterator[TimedConnection]:
    """A connection to ``where`` (address and port), whose certificate is for ``host``.

    With ``whole``, an end of the data without TLS's own end raises: the transfer may have been cut off.
    """
    raw = connect(where, min(_CONNECT_LIMIT_S, limit_s))
    raw.settimeout(limit_s)
    with raw.dup() as handle:  # TLS detaches ``raw``; this refers to the same connection
        timed = TimedConnection(HTTPSConnection(host, where[1]), handle, limit_s)
        try:
            context = ssl.create_default_context()
            secure = context.wrap_socket(raw, server_hostname=host, suppress_ragged_eofs=not whole)
            timed.http.sock = secure
            with secure:
                yield timed
        finally:
            timed.stop()
            raw.close()


def _started(handle: socket.socket, seconds: float) -> Timer:
    timer = Timer(seconds, _shut_down, [handle])
    timer.daemon = True
    timer.start()
    return timer


def _shut_down(handle: socket.socket) -> None:
    try:
        handle.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the server has closed it already
