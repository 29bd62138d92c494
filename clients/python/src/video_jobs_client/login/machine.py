"""Programs log in with an id and a secret (client credentials)."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

from video_jobs_client.addresses import SettingsError
from video_jobs_client.login.issuer import Clock, Issuer
from video_jobs_client.login.tokens import Tokens
from video_jobs_client.profiles import LoginSettings

ID_VARIABLE = "VIDEO_JOBS_CLIENT_ID"
SECRET_VARIABLE = "VIDEO_JOBS_CLIENT_SECRET"  # noqa: S105 - the name of the variable


def log_in_as_machine(
    how: LoginSettings,
    client_id: str | None = None,
    secret: str | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    clock: Clock = time.time,
) -> Tokens:
    """A token for an id and a secret; it comes without a refresh token.

    Parameters
    ----------
    client_id, secret
        By default VIDEO_JOBS_CLIENT_ID, or else the id of ``how``, and VIDEO_JOBS_CLIENT_SECRET.

    Raises
    ------
    SettingsError
        If the id, the secret or the address of the issuer is missing, or it is http:// on another machine.
    LoginError
        If the issuer gives no token.
    """
    said = os.environ if environment is None else environment
    client_id = client_id or said.get(ID_VARIABLE) or how.client_id
    secret = secret or said.get(SECRET_VARIABLE)
    if not client_id or not secret:
        missing = ID_VARIABLE if not client_id else SECRET_VARIABLE
        raise SettingsError(f"a machine logs in with an id and a secret: set {missing}")
    return Issuer.find(how).tokens_for_machine(how, client_id, secret, clock)
