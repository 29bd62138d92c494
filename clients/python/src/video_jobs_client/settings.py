"""Which server, and whose token: from arguments, the environment, or a profile.

In this order: arguments; ``VIDEO_JOBS_URL`` and ``VIDEO_JOBS_TOKEN``; the profile that is named (by
``--profile`` or ``VIDEO_JOBS_PROFILE``); the default profile. A token is sent to the server that it was given
for, and to no other.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from video_jobs_client.addresses import PlainHttpError, SettingsError, checked_server, refuse_plain_http
from video_jobs_client.profiles import (
    DEFAULT_NAME,
    Config,
    LoginSettings,
    Profile,
    UnknownProfileError,
    config_folder,
)

__all__ = [
    "Config",
    "LoginSettings",
    "NoServerError",
    "PlainHttpError",
    "Profile",
    "Server",
    "SettingsError",
    "UnknownProfileError",
    "checked_token",
    "config_folder",
    "find_server",
]

URL_VARIABLE = "VIDEO_JOBS_URL"
TOKEN_VARIABLE = "VIDEO_JOBS_TOKEN"  # noqa: S105 - the name of the variable
PROFILE_VARIABLE = "VIDEO_JOBS_PROFILE"


class NoServerError(SettingsError):
    """No server is configured: set VIDEO_JOBS_URL, or run `video-jobs config set url ADDRESS`"""

    def __init__(self) -> None:
        super().__init__(str(self.__doc__))


@dataclass(frozen=True)
class Server:
    """The chosen server.

    Parameters
    ----------
    token
        A token that was given by an argument or the environment. Without one, ``login.token_provider`` finds
        the one that a login stored.
    profile
        The profile of this server, if it has one.
    """

    url: str
    token: str | None = field(default=None, repr=False)
    profile: Profile | None = None

    @property
    def account(self) -> str:
        """What the stored token belongs to: a profile and a server, so that no other server gets it."""
        return f"{self.profile.name if self.profile else DEFAULT_NAME} {self.url}"


def find_server(
    url: str | None = None,
    token: str | None = None,
    profile: str | None = None,
    *,
    environment: Mapping[str, str] | None = None,
) -> Server:
    """The server to talk to.

    Raises
    ------
    NoServerError
        If nothing says which.
    UnknownProfileError
        If the named profile does not exist.
    PlainHttpError
        If a token would be sent over http:// to another machine.
    SettingsError
        If a setting is wrong, or two of them name different servers.
    """
    said = os.environ if environment is None else environment
    address, given = _address(url, said), checked_token(token)
    everything_is_known = bool(address and (given or _token_for(address, said)))
    # a broken file does not matter to somebody who does not need it
    chosen = None if everything_is_known and profile is None else _profile_of(address, profile, said)
    if address is None:
        if chosen is None or chosen.url is None:
            raise NoServerError
        address = chosen.url
    given = given or _token_for(address, said)
    if given is not None:
        refuse_plain_http(address, "the address of the server")
    return Server(address, given, chosen)


def checked_token(text: str | None) -> str | None:
    """The token, trimmed, or None if it is empty.

    Raises
    ------
    SettingsError
        If no header can carry it; the message does not show it.
    """
    token = (text or "").strip()
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise SettingsError("the token holds characters that no token has")
    return token or None


def _address(url: str | None, said: Mapping[str, str]) -> str | None:
    if url:
        return checked_server(url, "the address of the server")
    return checked_server(said[URL_VARIABLE], URL_VARIABLE) if said.get(URL_VARIABLE) else None


def _token_for(address: str, said: Mapping[str, str]) -> str | None:
    """The token of the environment. If an address stands beside it, it is for that server only."""
    of = said.get(URL_VARIABLE)
    if of and checked_server(of, URL_VARIABLE) != address:
        return None
    return checked_token(said.get(TOKEN_VARIABLE))


def _profile_of(address: str | None, name: str | None, said: Mapping[str, str]) -> Profile | None:
    config = Config.read(said)
    named = name or said.get(PROFILE_VARIABLE)
    profile = config.profile(named) if named else config.default_profile()
    if profile is None or address is None or profile.url in (None, address):
        return profile
    if name is not None:  # asked for by an argument, so silence would surprise
        raise SettingsError(
            f"profile {name!r} is for {profile.url}, and {URL_VARIABLE} or an argument names "
            f"{address}: leave one of them out"
        )
    return None
