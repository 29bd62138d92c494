"""Requests to an issuer: what it says of itself, and tokens for a code, a refresh token or a secret."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote_plus

import httpx2
from oauthlib.oauth2 import BackendApplicationClient, Client, OAuth2Error, WebApplicationClient

from video_jobs_client.addresses import SettingsError, checked_endpoint, without_query
from video_jobs_client.login.errors import IssuerAwayError, IssuerRefusedError, LoginError
from video_jobs_client.login.tokens import Tokens
from video_jobs_client.profiles import LoginSettings
from video_jobs_client.protocol.http import http_client
from video_jobs_client.settings import checked_token

OFFLINE_ACCESS = "offline_access"
_CONFIGURATION = "/.well-known/openid-configuration"
_TIMEOUT_S = 15
_LONGEST_REASON = 300
_SECRET_FIELDS = ("code", "code_verifier", "refresh_token", "client_secret")

Clock = Callable[[], float]


@dataclass(frozen=True)
class Issuer:
    """The endpoints of an issuer, which are https:// or on this machine.

    Parameters
    ----------
    authorize_url
        None if nobody said, which does not hinder machines.
    scopes
        The scopes that it says it has; empty if it was not asked.
    """

    token_url: str
    authorize_url: str | None = None
    scopes: frozenset[str] = frozenset()

    @classmethod
    def find(cls, how: LoginSettings) -> Issuer:
        """The endpoints: those of the settings, and for the others what the issuer says.

        Raises
        ------
        SettingsError
            If the settings do not say where tokens come from.
        LoginError
            If the issuer does not answer as OpenID Connect Discovery 1.0 wants it.
        """
        is_complete = how.token_url is not None and how.authorize_url is not None
        said = {} if is_complete or how.issuer is None else _configuration(how.issuer)
        token_url = how.token_url or said.get("token_endpoint")
        authorize_url = how.authorize_url or said.get("authorization_endpoint")
        if not isinstance(token_url, str):
            raise SettingsError(
                "nothing says where tokens come from: run `video-jobs config set issuer ADDRESS` "
                "(or set token_url, and authorize_url for logins in the browser)"
            )
        checked_endpoint(token_url, "the token endpoint of the issuer")
        if authorize_url is not None:
            checked_endpoint(str(authorize_url), "the login page of the issuer")
        scopes = said.get("scopes_supported")
        return cls(token_url, authorize_url, frozenset(scopes if isinstance(scopes, list) else ()))

    def tokens_for_code(
        self, client: WebApplicationClient, redirect_uri: str, clock: Clock = time.time
    ) -> Tokens:
        """Exchange the code that ``client`` has got (RFC 6749, section 4.1.3; RFC 7636, section 4.5)."""
        body = client.prepare_request_body(redirect_uri=redirect_uri, code_verifier=client.code_verifier)
        return self._tokens(client, body, clock=clock)

    def renewed(self, tokens: Tokens, client_id: str, clock: Clock = time.time) -> Tokens:
        """New tokens for the refresh token (RFC 6749, section 6), which is kept if no other comes."""
        client = WebApplicationClient(client_id)
        body = client.prepare_refresh_body(refresh_token=tokens.refresh_token, client_id=client_id)
        new = self._tokens(client, body, clock=clock)
        return Tokens(new.access_token, new.expires_at, new.refresh_token or tokens.refresh_token)

    def tokens_for_machine(
        self, how: LoginSettings, client_id: str, secret: str, clock: Clock = time.time
    ) -> Tokens:
        """Client credentials (RFC 6749, section 4.4), with the header that section 2.3.1 prefers."""
        client = BackendApplicationClient(client_id)
        body = client.prepare_request_body(scope=how.scope, audience=how.audience)
        return self._tokens(client, body, (quote_plus(client_id), quote_plus(secret)), clock=clock)

    def _tokens(
        self, client: Client, body: str, auth: tuple[str, str] | None = None, *, clock: Clock
    ) -> Tokens:
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        asked_at = clock()
        answer = _ask("POST", self.token_url, content=body, headers=headers, auth=auth)
        secrets = {value for name, value in parse_qsl(body) if name in _SECRET_FIELDS} | {*(auth or ())[1:]}
        return _tokens_of(answer, client, asked_at, secrets)


def _configuration(issuer: str) -> dict[str, Any]:
    """What the issuer says of itself (OpenID Connect Discovery 1.0, sections 4.2 and 4.3)."""
    checked_endpoint(issuer, "the issuer")
    url = issuer.rstrip("/") + _CONFIGURATION
    answer = _ask("GET", url)
    said = _object(answer)
    if answer.status_code != 200 or "token_endpoint" not in said:
        raise LoginError(f"{url} answered {answer.status_code} and no configuration: is the issuer right?")
    if str(said.get("issuer")).rstrip("/") != issuer.rstrip("/"):
        raise LoginError(
            f"{url} is the configuration of another issuer: set the issuer as the tokens name it, "
            "or authorize_url and token_url"
        )
    return said


def _ask(method: str, url: str, **request: Any) -> httpx2.Response:
    try:
        with http_client(httpx2.Client, url, timeout=_TIMEOUT_S, follow_redirects=False) as http:
            return http.request(method, url, **request)
    except httpx2.HTTPError as error:
        kind = type(error).__name__
        raise IssuerAwayError(
            f"{without_query(url)} does not answer ({kind}): is the address of the issuer right, and "
            "is this machine online?"
        ) from error


def _tokens_of(answer: httpx2.Response, client: Client, asked_at: float, secrets: set[str]) -> Tokens:
    where = f"{without_query(str(answer.url))} answered {answer.status_code}"
    if answer.status_code >= 500 or answer.status_code == 429:
        raise IssuerAwayError(f"{where}: try again later")
    body = _object(answer)
    if answer.status_code != 200 or not isinstance(body.get("access_token"), str):
        code, reason = _shown(body.get("error"), secrets), _shown(body.get("error_description"), secrets)
        raise IssuerRefusedError(
            f"{where}{code and ' ' + code}, and no token{reason and ': ' + reason}", code
        )
    try:
        given = client.parse_request_body_response(answer.text)
        token = checked_token(given["access_token"])
    except (OAuth2Error, ValueError, SettingsError):  # whose texts may repeat what they could not read
        raise IssuerRefusedError(f"{where} with a token that cannot be used") from None
    lifetime, renewing = given.get("expires_in"), given.get("refresh_token")
    expires_at = None if lifetime is None else asked_at + lifetime
    return Tokens(str(token), expires_at, renewing if isinstance(renewing, str) and renewing else None)


def _object(answer: httpx2.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _shown(text: object, secrets: set[str]) -> str:
    """What an issuer says, in one line and cut; empty if it repeats something secret."""
    if not isinstance(text, str) or any(secret and secret in text for secret in secrets):
        return ""
    return "".join(letter if letter.isprintable() else " " for letter in text)[:_LONGEST_REASON]
