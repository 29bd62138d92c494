"""Which addresses the service may call for its clients: public ones, and networks that an operator opened."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

MAX_URL_LENGTH = 2048
"""Of a URL that the service calls, if nothing else is said."""

Address = IPv4Address | IPv6Address
_WRAPPING_IPV4 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"), IPv6Network("::/96"))
"""NAT64 (well-known and local) and IPv4-compatible: the last four bytes are the IPv4 address."""
_METADATA = (IPv6Address("fd00:ec2::254"), IPv6Address("fd00:ec2::23"))
_NUMERIC_LABEL = re.compile(r"\d+|0x[0-9a-f]*")
"""If the last label of a name is numeric, the name is an IPv4 address (2130706433, 127.1, 0x7f.1)."""
_LOCAL_NAMES = ("localhost", ".localhost", ".local", ".internal")


class ForbiddenAddressError(ValueError):
    """A URL whose host may not be called, as its name or number alone shows."""


def check_https_url(url: str, allowed_networks: Sequence[str] = (), *, longest: int = MAX_URL_LENGTH) -> None:
    """Refuse a URL that cannot be a public HTTPS address.

    The addresses that its host name resolves to are checked at each connection (`is_reachable`).

    Raises
    ------
    ValueError
        If the URL is refused; the message says why, and does not repeat the URL.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("this is not a URL") from None
    if parts.scheme != "https" or not host:
        raise ValueError("must begin with https:// and name a host")
    if not _is_host(host):
        raise ValueError("its host is not a valid name")
    if parts.username is not None or parts.fragment:
        raise ValueError("must have no user name, password or fragment")
    if not url.isascii() or not url.isprintable() or " " in url or len(url) > longest:
        raise ValueError(f"at most {longest} printable ASCII characters")
    if not _may_be_reachable(host, allowed_networks):
        raise ForbiddenAddressError("must not name a private, loopback or metadata address")


def is_reachable(address: str, allowed_networks: Sequence[str] = ()) -> bool:
    """Whether the service may connect to an IP address, which must be public or in ``allowed_networks``.

    Link-local addresses, where the metadata services are, may never be called.
    """
    plain = _unwrapped(ip_address(address.partition("%")[0]))
    if plain.is_link_local or plain in _METADATA:
        return False
    is_site_local = isinstance(plain, IPv6Address) and plain.is_site_local
    if plain.is_global and not plain.is_multicast and not is_site_local:
        return True
    return any(plain in ip_network(network) for network in allowed_networks)


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
