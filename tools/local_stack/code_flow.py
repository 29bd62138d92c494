"""How people log in at the development issuer: authorization code with PKCE, and refresh tokens.

RFC 6749 (sections 4.1 and 6), RFC 7636. The page asks for a subject instead of a password.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from urllib.parse import urlencode, urlsplit

from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

OPENID, OFFLINE_ACCESS = "openid", "offline_access"
CODE_LIFETIME_S = 60
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_TOKEN_BYTES = 32
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Development issuer</title>
<body style="font: 1.1rem/1.5 system-ui, sans-serif; margin: 4rem auto; max-width: 32rem">
<h1>Log in for development</h1><p>No password is asked: jobs belong to whoever you say you are.</p>
<form>{hidden}<label>Subject <input name="login_hint" value="ann" autofocus></label>
<button>Log in</button> <button name="deny" value="yes">Refuse</button></form></body></html>
"""
_CSP = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
    "cache-control": "no-store",
}


class GrantError(Exception):
    """The code or the refresh token is not one of ours, was used, or belongs to another request."""


@dataclass(frozen=True)
class Grant:
    """What a person allowed a client."""

    client_id: str
    redirect_uri: str
    challenge: str
    subject: str
    scope: str
    nonce: str
    given_at_s: float

    def fits(self, form: Mapping[str, str], now_s: float) -> bool:
        """Whether the client that sends ``form`` is the one that asked, and asks in time."""
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        sent = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        return (
            now_s - self.given_at_s < CODE_LIFETIME_S
            and form.get("client_id") == self.client_id
            and form.get("redirect_uri") == self.redirect_uri
            and hmac.compare_digest(sent, self.challenge)
        )


class CodeFlow:
    """Codes and refresh tokens, each good for one use; ``clock`` counts seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._codes: dict[str, Grant] = {}
        self._renewals: dict[str, Grant] = {}
        self._forgotten_until_s = -math.inf

    def authorize(self, request: Request) -> Response:
        """The login page, or with ``login_hint`` what it leads to: back to the client with a code."""
        asked = request.args
        redirect_uri = asked.get("redirect_uri", "")
        if not _is_on_this_machine(redirect_uri) or not asked.get("client_id"):
            return Response(
                "client_id, and a redirect_uri such as http://localhost:8765/callback", status=400
            )
        back = {"state": asked["state"]} if "state" in asked else {}
        wrong = _wrong_in(asked)
        if wrong:
            back |= {"error": "invalid_request", "error_description": wrong}
        elif asked.get("deny"):
            back |= {"error": "access_denied"}
        elif asked.get("login_hint"):
            back |= {"code": self._code_for(asked)}
        else:
            return _page(asked)
        return redirect(f"{redirect_uri}{'&' if urlsplit(redirect_uri).query else '?'}{urlencode(back)}")

    def redeem_code(self, form: Mapping[str, str]) -> Grant:
        """What the code stands for; raises GrantError. The code is used up either way."""
        grant = self._codes.pop(form.get("code", ""), None)
        if grant is None or not grant.fits(form, self._clock()):
            raise GrantError
        return grant

    def redeem_renewal(self, form: Mapping[str, str]) -> Grant:
        """What the refresh token stands for; raises GrantError. The token is used up either way."""
        grant = self._renewals.pop(form.get("refresh_token", ""), None)
        if grant is None or form.get("client_id") != grant.client_id:
            raise GrantError
        if grant.given_at_s <= self._forgotten_until_s:
            raise GrantError
        return grant

    def renewal_of(self, grant: Grant) -> dict[str, str]:
        """A new refresh token, where the client asked for offline access."""
        if OFFLINE_ACCESS not in grant.scope.split():
            return {}
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        self._renewals[token] = grant
        return {"refresh_token": token}

    def revoke(self, form: Mapping[str, str]) -> None:
        """Renew nothing by this refresh token any more; one that is not known is no error (RFC 7009, 2.2)."""
        self._renewals.pop(form.get("token", ""), None)

    def forget_renewals(self) -> None:
        """No login of before is renewed any more, not even one whose new token is just being made."""
        self._forgotten_until_s = self._clock()

    def log_out(self, request: Request) -> Response:
        """Back to the client (OpenID Connect RP-Initiated Logout 1.0); there is no session here to end."""
        back = request.args.get("post_logout_redirect_uri", "")
        if not _is_on_this_machine(back):
            return Response("post_logout_redirect_uri, such as http://localhost:8000/", status=400)
        return redirect(back)

    def _code_for(self, asked: Mapping[str, str]) -> str:
        code = secrets.token_urlsafe(_TOKEN_BYTES)
        self._codes[code] = Grant(
            client_id=asked["client_id"],
            redirect_uri=asked["redirect_uri"],
            challenge=asked["code_challenge"],
            subject=asked["login_hint"],
            scope=asked.get("scope", ""),
            nonce=asked.get("nonce", ""),
            given_at_s=self._clock(),
        )
        return code


def _wrong_in(asked: Mapping[str, str]) -> str:
    if asked.get("response_type") != "code":
        return "response_type: code"
    if not asked.get("code_challenge") or asked.get("code_challenge_method") != "S256":
        return "code_challenge, with code_challenge_method S256"
    return ""


def _is_on_this_machine(redirect_uri: str) -> bool:
    try:
        parts = urlsplit(redirect_uri)
    except ValueError:
        return False
    return parts.scheme == "http" and parts.hostname in _LOOPBACK and not parts.fragment


def _page(asked: Mapping[str, str]) -> Response:
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in asked.items()
    )
    return Response(_PAGE.format(hidden=hidden), headers=_CSP, content_type="text/html; charset=utf-8")
