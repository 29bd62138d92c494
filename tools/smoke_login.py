"""How the smoke test logs in: with a token that it is given, or with the id and secret of a machine."""

from __future__ import annotations

from collections.abc import Mapping

from video_jobs_client import settings
from video_jobs_client.login import IssuerAwayError, LoginError, log_in_as_machine

from tools.smoke_service import SmokeTestError, UsageError

TOKEN_VARIABLE = "SMOKE_TEST_TOKEN"  # noqa: S105 - the name of the variable
URL_VARIABLE = "SMOKE_TEST_TOKEN_URL"
ID_VARIABLE = "SMOKE_TEST_CLIENT_ID"
SECRET_VARIABLE = "SMOKE_TEST_CLIENT_SECRET"  # noqa: S105
SCOPE_VARIABLE = "SMOKE_TEST_SCOPE"


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
    if not (client_id and secret):
        raise UsageError(f"{URL_VARIABLE} needs {ID_VARIABLE} and {SECRET_VARIABLE}, too")
    how = settings.LoginSettings(token_url=url, scope=environment.get(SCOPE_VARIABLE) or None)
    return _token_for(how, client_id, secret), f"as the client {client_id}"


def checked_token(text: str | None) -> str | None:
    """The token, trimmed; raises UsageError, which does not show it, if no header can carry it."""
    try:
        return settings.checked_token(text)
    except settings.SettingsError as error:
        raise UsageError(str(error)) from None


def _token_for(how: settings.LoginSettings, client_id: str, secret: str) -> str:
    try:
        return log_in_as_machine(how, client_id, secret, environment={}).access_token
    except IssuerAwayError as error:
        raise SmokeTestError(f"{URL_VARIABLE}: {error}") from None
    except LoginError as error:
        raise SmokeTestError(
            f"{error}: are {ID_VARIABLE}, {SECRET_VARIABLE} and {SCOPE_VARIABLE} those of one machine client?"
        ) from None
    except settings.SettingsError as error:
        raise UsageError(f"{URL_VARIABLE}: {error}") from None
