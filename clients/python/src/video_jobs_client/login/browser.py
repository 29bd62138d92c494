"""People log in with their browser: authorization code with PKCE (RFC 6749, 7636, 8252)."""

from __future__ import annotations

import secrets
import time
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from oauthlib.oauth2 import AccessDeniedError, MismatchingStateError, OAuth2Error, WebApplicationClient

from video_jobs_client.addresses import SettingsError
from video_jobs_client.login.callback import PORT, CallbackPage
from video_jobs_client.login.errors import IssuerRefusedError, LoginError
from video_jobs_client.login.issuer import OFFLINE_ACCESS, Clock, Issuer
from video_jobs_client.login.tokens import Tokens
from video_jobs_client.profiles import LoginSettings

_VERIFIER_LETTERS = 64
_STATE_BYTES = 32
_HTTPS = "https://localhost"


def _open_in_browser(url: str) -> None:
    with suppress(webbrowser.Error):  # there is none; the address was shown
        webbrowser.open(url)


def log_in_with_browser(
    how: LoginSettings,
    *,
    show_url: Callable[[str], object] = lambda _: None,
    open_url: Callable[[str], object] = _open_in_browser,
    port: int = PORT,
    timeout_s: float = 300,
    clock: Clock = time.time,
) -> Tokens:
    """Send the browser to the issuer's login page, and wait until it comes back to this machine.

    Parameters
    ----------
    show_url
        Gets the address of the login page first, for machines whose browser cannot be opened. The address
        is good for this login only, and gives nobody a token.
    open_url
        Opens it in a browser.
    port
        ``http://localhost:PORT/callback`` must be among the addresses that the client has with the issuer.

    Raises
    ------
    SettingsError
        If the settings lack something.
    LoginError
        If the port is taken, the user says no, nobody logs in in time, or the issuer gives no token.
    """
    issuer = Issuer.find(how)
    if how.client_id is None:
        raise SettingsError("the id of the client is missing: run `video-jobs config set client_id ID`")
    client, state = WebApplicationClient(how.client_id), secrets.token_urlsafe(_STATE_BYTES)
    with CallbackPage(port) as page:
        url = _login_page(issuer, how, client, {"redirect_uri": page.redirect_uri, "state": state})
        show_url(url)
        open_url(url)
        _take_code(client, page.wait(timeout_s), state)
    return issuer.tokens_for_code(client, page.redirect_uri, clock)


def _login_page(
    issuer: Issuer, how: LoginSettings, client: WebApplicationClient, request: dict[str, str]
) -> str:
    if issuer.authorize_url is None:
        raise SettingsError(
            "nothing says where the login page is: run `video-jobs config set authorize_url ADDRESS`"
        )
    challenge = client.create_code_challenge(client.create_code_verifier(_VERIFIER_LETTERS), "S256")
    more: dict[str, Any] = {"audience": how.audience, **request}
    # oauthlib wants https, and the login page may be on this machine; only the query is taken
    query = urlsplit(
        client.prepare_request_uri(
            _HTTPS, scope=_scope(issuer, how), code_challenge=challenge, code_challenge_method="S256", **more
        )
    ).query
    return f"{issuer.authorize_url}{'&' if urlsplit(issuer.authorize_url).query else '?'}{query}"


def _scope(issuer: Issuer, how: LoginSettings) -> str:
    """Without offline_access, many issuers give no refresh token; Cognito gives one, and does not know it."""
    return how.scope or " ".join(["openid", *({OFFLINE_ACCESS} & issuer.scopes)])


def _take_code(client: WebApplicationClient, query: str, state: str) -> None:
    """Keep the code in ``client``; raises LoginError if the query has none or is not the answer to ours."""
    try:
        client.parse_request_uri_response(f"{_HTTPS}?{query}", state=state)
    except MismatchingStateError:
        raise LoginError(
            "the browser brought the answer to another login, which was not used: run: video-jobs login"
        ) from None
    except AccessDeniedError:
        raise IssuerRefusedError("the login was refused on the issuer's page", "access_denied") from None
    except OAuth2Error:
        code = dict(parse_qsl(query)).get("error", "")
        code = code if code.isascii() and code.replace("_", "").isalnum() else ""
        raise IssuerRefusedError(
            f"the issuer refuses the login ({code or 'without a reason'})", code
        ) from None
