"""What a page in a browser needs of the development issuer."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import KeySet
from werkzeug.wrappers import Request

from tests.support.code_login import code_form, code_in, code_query
from tools.local_stack.code_flow import CodeFlow, GrantError
from tools.local_stack.development_issuer import DevelopmentIssuer

PAGE = "http://127.0.0.1:8000/"


def log_in(issuer: DevelopmentIssuer, scope: str = "openid offline_access", **more: str) -> dict[str, Any]:
    """The answer to the code, as a page gets it."""
    query = code_query(client_id="console", redirect_uri=PAGE, scope=scope, **more)
    sent_back = requests.get(f"{issuer.url}/authorize", params=query, allow_redirects=False, timeout=10)
    form = code_form(client_id="console", redirect_uri=PAGE, code=code_in(sent_back))
    answer = requests.post(issuer.token_url, data=form, timeout=10)
    assert answer.headers["access-control-allow-origin"] == "*"
    tokens: dict[str, Any] = answer.json()
    return tokens


def renew(issuer: DevelopmentIssuer, tokens: dict[str, Any]) -> int:
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "client_id": "console"}
    return requests.post(issuer.token_url, data=form, timeout=10).status_code


def test_a_page_is_told_who_logged_in(issuer: DevelopmentIssuer) -> None:
    configuration = requests.get(f"{issuer.url}/.well-known/openid-configuration", timeout=10)
    keys = KeySet.import_key_set(requests.get(configuration.json()["jwks_uri"], timeout=10).json())
    claims = jwt.decode(log_in(issuer, nonce="n1")["id_token"], keys, ["RS256"]).claims
    told = {name: claims[name] for name in ("iss", "aud", "sub", "name", "nonce")}
    assert told == {"iss": issuer.url, "aud": "console", "sub": "ann", "name": "ann", "nonce": "n1"}
    assert configuration.headers["access-control-allow-origin"] == "*"


def test_who_does_not_ask_for_it_is_not_told(issuer: DevelopmentIssuer) -> None:
    assert "id_token" not in log_in(issuer, scope="offline_access")


def test_a_login_that_was_revoked_is_not_renewed(issuer: DevelopmentIssuer) -> None:
    tokens = log_in(issuer)

    def revoke(kind: str) -> int:
        form = {"token": tokens[kind], "token_type_hint": kind, "client_id": "console"}
        return requests.post(f"{issuer.url}/revoke", data=form, timeout=10).status_code

    assert revoke("access_token") == 400
    assert revoke("refresh_token") == 200
    assert renew(issuer, tokens) == 400


def test_a_login_that_was_forgotten_is_not_renewed(issuer: DevelopmentIssuer) -> None:
    assert renew(issuer, log_in(issuer)) == 200
    tokens = log_in(issuer)
    issuer.forget_logins()
    assert renew(issuer, tokens) == 400


def test_a_login_that_is_forgotten_while_it_is_renewed_is_not_renewed_again() -> None:
    codes = CodeFlow()
    query = code_query(client_id="console", redirect_uri=PAGE, scope="offline_access")
    code = code_in(codes.authorize(Request.from_values(query_string=query)))
    grant = codes.redeem_code(code_form(client_id="console", redirect_uri=PAGE, code=code))
    codes.forget_renewals()
    with pytest.raises(GrantError):
        codes.redeem_renewal({"client_id": "console", **codes.renewal_of(grant)})


@pytest.mark.parametrize(
    ("back", "status"), [(PAGE, 302), ("https://example.com/", 400), ("javascript:alert(1)", 400), ("", 400)]
)
def test_a_logout_leads_back_to_this_machine_only(issuer: DevelopmentIssuer, back: str, status: int) -> None:
    answer = requests.get(
        f"{issuer.url}/logout",
        params={"post_logout_redirect_uri": back},
        allow_redirects=False,
        timeout=10,
    )
    assert (answer.status_code, answer.headers.get("location")) == (status, PAGE if status == 302 else None)
