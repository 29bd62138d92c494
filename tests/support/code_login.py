"""A login with a code at the development issuer, as a client that proves itself asks for it (RFC 7636)."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

VERIFIER = "v" * 43
CHALLENGE = "7w_YNF9DSfIdPf_pRjSq646_kPr-2-o9NAl16JGghdM"


def code_query(**fields: str | None) -> dict[str, str]:
    """What the login page is asked, for ``client_id`` and ``redirect_uri``; None leaves a field out."""
    query = {"response_type": "code", "code_challenge": CHALLENGE, "code_challenge_method": "S256"}
    sent = {**query, "login_hint": "ann", **fields}
    return {name: value for name, value in sent.items() if value is not None}


def code_form(client_id: str, redirect_uri: str, code: str) -> dict[str, str]:
    """What is sent to get the tokens for a code."""
    form = {"grant_type": "authorization_code", "client_id": client_id, "redirect_uri": redirect_uri}
    return form | {"code": code, "code_verifier": VERIFIER}


def code_in(answer: Any) -> str:
    """The code in the address to which the login page sends the browser."""
    code: str = parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]
    return code
