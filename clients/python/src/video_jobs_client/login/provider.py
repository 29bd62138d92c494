"""The token of the last login, renewed before it expires."""

from __future__ import annotations

import threading
import time
import warnings

from video_jobs_client.addresses import refuse_plain_http
from video_jobs_client.login.errors import IssuerRefusedError, LoginError, NotLoggedInError
from video_jobs_client.login.issuer import Clock, Issuer
from video_jobs_client.login.store import TokenStore
from video_jobs_client.login.tokens import Tokens
from video_jobs_client.settings import Server

EARLY_S = 60
"""So long before it expires, a token is renewed: requests take time, and clocks differ."""


class StoredToken:
    """Gives ``Client(token_provider=...)`` an access token of the last login; threads may share it.

    Raises
    ------
    PlainHttpError
        If the token would be sent over http:// to another machine.
    """

    def __init__(self, server: Server, store: TokenStore, clock: Clock = time.time) -> None:
        refuse_plain_http(server.url, "the address of the server")
        self._server, self._store, self._clock = server, store, clock
        self._lock = threading.Lock()
        self._tokens: Tokens | None = None
        self._outdated: Tokens | None = None  # what is stored, if newer tokens could not be

    def __call__(self) -> str:
        """An access token that is good for the next minute.

        Raises
        ------
        NotLoggedInError
            If nobody has logged in, or the issuer does not renew the token.
        IssuerAwayError
            If the token has expired and the issuer cannot be reached: another login would not help.
        """
        with self._lock:
            self._tokens = self._tokens or self._store.get(self._server.account)
            if self._tokens is None:
                raise self._not_logged_in("no login is stored")
            if not self._lives(self._tokens, EARLY_S):
                self._tokens = self._renewed(self._tokens)
            return self._tokens.access_token

    def _lives(self, tokens: Tokens, seconds: float) -> bool:
        return tokens.expires_at is None or self._clock() + seconds < tokens.expires_at

    def _renewed(self, old: Tokens) -> Tokens:
        # another program may have renewed it, and some issuers take a refresh token once only
        stored = self._store.get(self._server.account)
        if stored is None:
            raise self._not_logged_in("the login was removed")
        if stored == self._outdated:
            stored = old
        if stored != old and self._lives(stored, EARLY_S):
            return stored
        try:
            new = self._ask_issuer(stored)
        except LoginError as error:
            return self._instead_of_new(stored, error)
        self._save(new)
        return new

    def _save(self, new: Tokens) -> None:
        """Store the tokens; if that fails, this program goes on with them."""
        try:
            self._store.save(self._server.account, new)
        except OSError as error:
            self._outdated = self._store.get(self._server.account)
            warnings.warn(
                f"The renewed login cannot be stored ({error.strerror or error}): other programs have to "
                "log in again",
                RuntimeWarning,
                stacklevel=2,
            )

    def _instead_of_new(self, old: Tokens, error: LoginError) -> Tokens:
        """What another program got meanwhile, or the old token as long as it lives; or else ``error``."""
        for tokens in (self._store.get(self._server.account), old):
            if tokens is not None and self._lives(tokens, 0):
                return tokens
        raise error

    def _ask_issuer(self, tokens: Tokens) -> Tokens:
        how = self._server.profile.login if self._server.profile else None
        if how is None or how.client_id is None or tokens.refresh_token is None:
            raise self._not_logged_in("the token has expired, and there is none to renew it")
        try:
            return Issuer.find(how).renewed(tokens, how.client_id, self._clock)
        except IssuerRefusedError as error:
            raise self._not_logged_in("the issuer does not renew the token") from error

    def _not_logged_in(self, reason: str) -> NotLoggedInError:
        profile = self._server.profile.name if self._server.profile else None
        return NotLoggedInError(self._server.url, reason, profile)


def token_provider(server: Server, store: TokenStore | None = None) -> StoredToken | None:
    """What ``Client`` takes as ``token_provider``; None if the server's profile knows no login.

    >>> from video_jobs_client.settings import Server
    >>> token_provider(Server("http://127.0.0.1:8000")) is None
    True
    """
    if server.profile is None or server.profile.login is None:
        return None
    return StoredToken(server, store or TokenStore.of_this_user())
