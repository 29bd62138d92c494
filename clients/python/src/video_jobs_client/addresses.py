"""Addresses of servers and issuers: checked before a secret is sent there, and never shown with one."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from video_jobs_client.errors import VideoJobsClientError


class SettingsError(VideoJobsClientError):
    """A setting is missing or wrong; the message names it and says what to do."""


class PlainHttpError(SettingsError):
    """A token or a secret would be sent over http:// to another machine; all on the way could read it."""


def checked_server(text: str, name: str) -> str:
    """The address of a server in one spelling: lower-case host, no slash at the end.

    Parameters
    ----------
    name
        What the message calls the setting; the address itself may hold a secret and is not shown.

    Raises
    ------
    SettingsError
        If it is no http(s) address, or holds a user, a query or a fragment.
    """
    parts = _checked_parts(text, name)
    if parts.query or parts.fragment:
        raise SettingsError(f"{name} has a part after ? or #: leave that out")
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def checked_endpoint(text: str, name: str) -> str:
    """The address of an issuer, as it stands; it may have a query.

    Raises
    ------
    SettingsError
        If it is no http(s) address, or holds a user or a fragment.
    PlainHttpError
        If it is http:// and not on this machine.
    """
    if _checked_parts(text, name).fragment:
        raise SettingsError(f"{name} has a part after #: leave that out")
    refuse_plain_http(text, name)
    return text


def refuse_plain_http(address: str, name: str) -> None:
    """Raise PlainHttpError if what is sent to ``address`` leaves this machine unencrypted."""
    if urlsplit(address).scheme != "https" and not is_loopback(address):
        raise PlainHttpError(
            f"{name} begins with http://, and it is another machine: tokens and secrets are sent "
            f"over https:// only, so change {name}"
        )


def is_loopback(address: str) -> bool:
    """Whether the host is this machine by name (localhost) or by number; other names are not looked up."""
    host = urlsplit(address).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def without_query(address: str) -> str:
    """What of an address a message may show."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _checked_parts(text: str, name: str) -> SplitResult:
    example = f"{name} is no address such as https://api.example.com"
    try:
        parts = urlsplit(text)
        port_is_possible = parts.port != 0
    except ValueError:
        raise SettingsError(example) from None
    if "@" in parts.netloc or "@" in text.partition("/")[0]:
        raise SettingsError(f"{name} holds a user name or a password: leave them out, and log in instead")
    if parts.scheme not in ("http", "https"):
        raise SettingsError(f"{example}: it begins with https:// (or http:// on this machine)")
    if not (parts.hostname and port_is_possible and text.isprintable()) or " " in text:
        raise SettingsError(example)
    return parts
