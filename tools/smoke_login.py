"""How the smoke test logs in: with a token that it is given, or with the id and secret of a machine."""

from __future__ import annotations

from collections.abc import Mapping

import requests

from tools.smoke_service import SmokeTestError, UsageError

TOKEN_VARIABLE = "SMOKE_TEST_TOKEN"  # noqa: S105 - the name of the variable
URL_VARIABLE = "SMOKE_TEST_TOKEN_URL"
ID_VARIABLE = "SMOKE_TEST_CLIENT_ID"
SECRET_VARIABLE = "SMOKE_TEST_CLIENT_SECRET"  # noqa: S105
SCOPE_VARIABLE = "SMOKE_TEST_SCOPE"
_TIMEOUT_S = 30


def log_in(token: str | None, environment: Mapping[str, str]) -> tuple[str | None, str]:
    """The token for the API, and in words whose it is; ``token`` is the one that was given.

    Raises
    ------
    UsageError
        If the settings of a machine are not complete.
    SmokeTestError
        If the issuer gives no token; the message holds neither the secret nor a token.
    """
    given = checked_token(token or environment.get(TOKEN_VARIABLE))
    url = environment.get(URL_VARIABLE, "")
    if given is not None:
        return given, "with the given token"
    if not url:
        return None, "without a token"
    client_id, secret = environment.get(ID_VARIABLE, ""), environment.get(SECRET_VARIABLE, "")
    if not url.startswith(("https://", "http://127.0.0.1:")):
        raise UsageError(f"{URL_VARIABLE} begins with https://, because the secret is sent there")
    if not (client_id and secret):
        raise UsageError(f"{URL_VARIABLE} needs {ID_VARIABLE} and {SECRET_VARIABLE}, too")
    form = {"grant_type": "client_credentials"}
    form |= {"scope": environment[SCOPE_VARIABLE]} if environment.get(SCOPE_VARIABLE) else {}
    return _token_for(url, client_id, secret, form), f"as the client {client_id}"


def checked_token(text: str | None) -> str | None:
    """The token, trimmed; raises UsageError, which does not show it, if no header can carry it."""
    token = (text or "").strip()
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise UsageError("the token holds characters that no token has")
    return token or None


def _token_for(url: str, client_id: str, secret: str, form: Mapping[str, str]) -> str | None:
    """Client credentials (RFC 6749, section 4.4); the secret is sent as the header that 2.3.1 prefers."""
    try:
        answer = requests.post(
            url, data=form, auth=(client_id, secret), timeout=_TIMEOUT_S, allow_redirects=False
        )
        body = answer.json()
    except requests.RequestException as error:
        raise SmokeTestError(
            f"{url} gives no token ({type(error).__name__}): is {URL_VARIABLE} right?"
        ) from None
    if answer.status_code != 200 or not isinstance(body, dict) or "access_token" not in body:
        said = body.get("error", "") if isinstance(body, dict) else ""
        raise SmokeTestError(
            f"{url} answered {answer.status_code} {said}, and no token: are {ID_VARIABLE}, {SECRET_VARIABLE} "
            f"and {SCOPE_VARIABLE} those of one machine client?"
        )
    return checked_token(str(body["access_token"]))
