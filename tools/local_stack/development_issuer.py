"""An issuer of tokens for development: it asks for no password, so it serves the loopback interface only."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from tools.local_stack.code_flow import OFFLINE_ACCESS, OPENID, CodeFlow, Grant, GrantError
from tools.local_stack.loopback_server import HOST, LoopbackServer

AUDIENCE = "video-jobs"
ALGORITHM = "RS256"
EXPIRES_IN_S = 3600
_KEY_BITS = 2048
_SECONDS = re.compile(r"[1-9][0-9]{0,5}")


class DevelopmentIssuer(LoopbackServer):
    """Gives every caller a token for any subject, signed with a key that lives as long as the issuer.

    People log in with a page (``tools.local_stack.code_flow``), machines with an id and any secret, and
    ``curl -d sub=ann`` gets a token without either.

    Attributes
    ----------
    login_lasts_s
        How long the tokens of people are valid.
    """

    def __init__(self, audience: str = AUDIENCE) -> None:
        self.audience = audience
        self.login_lasts_s = EXPIRES_IN_S
        self._codes = CodeFlow()
        self._key = RSAKey.generate_key(_KEY_BITS, {"use": "sig", "alg": ALGORITHM}, auto_kid=True)
        super().__init__(make_server(HOST, 0, Request.application(self._answer), threaded=True), "issuer")

    @property
    def token_url(self) -> str:
        """Where tokens are given."""
        return f"{self.url}/token"

    def token(
        self,
        subject: str,
        *,
        expires_in_s: int = EXPIRES_IN_S,
        scope: str | None = None,
        claims: Mapping[str, Any] | None = None,
    ) -> str:
        """A signed token; ``claims`` come on top, or in place of the usual ones."""
        now = int(time.time())
        usual = {"iss": self.url, "sub": subject, "aud": self.audience, "iat": now, "nbf": now}
        usual |= {"exp": now + expires_in_s} | ({} if scope is None else {"scope": scope})
        header = {"alg": ALGORITHM, "kid": self._key.kid}
        return jwt.encode(header, {**usual, **(claims or {})}, self._key, [ALGORITHM])

    def forget_logins(self) -> None:
        """Let nobody renew a token who has logged in until now."""
        self._codes.forget_renewals()

    def _answer(self, request: Request) -> Response:
        answer = self._answer_to_own_origin(request)
        # A page is a public client and brings no cookie, so pages of every origin may read the answers.
        answer.headers["access-control-allow-origin"] = "*"
        return answer

    def _answer_to_own_origin(self, request: Request) -> Response:
        match request.method, request.path:
            case "GET", "/.well-known/openid-configuration":
                return _json(self._configuration())
            case "GET", "/.well-known/jwks.json":
                return _json(KeySet([self._key]).as_dict(private=False))
            case "GET", "/authorize":
                return self._codes.authorize(request)
            case "POST", "/token":
                return self._answer_for_token(request)
            case "POST", "/revoke":
                return self._revoke(request)
            case "GET", "/logout":
                return self._codes.log_out(request)
        return _json({"error": "not_found"}, 404)

    def _configuration(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/.well-known/jwks.json",
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": self.token_url,
            "revocation_endpoint": f"{self.url}/revoke",
            "end_session_endpoint": f"{self.url}/logout",
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": [OPENID, OFFLINE_ACCESS],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
        }

    def _answer_for_token(self, request: Request) -> Response:
        try:
            match request.form.get("grant_type"):
                case "authorization_code":
                    return self._tokens_of(self._codes.redeem_code(request.form))
                case "refresh_token":
                    return self._tokens_of(self._codes.redeem_renewal(request.form))
        except GrantError:
            return _json({"error": "invalid_grant"}, 400)
        return self._give_token(request)

    def _revoke(self, request: Request) -> Response:
        """As Cognito does, it revokes refresh tokens only."""
        if request.form.get("token_type_hint") == "access_token":
            return _json({"error": "unsupported_token_type"}, 400)
        self._codes.revoke(request.form)
        return _json({})

    def _tokens_of(self, grant: Grant) -> Response:
        claims, lasts_s = {"client_id": grant.client_id}, self.login_lasts_s
        token = self.token(grant.subject, expires_in_s=lasts_s, scope=grant.scope or None, claims=claims)
        told = {"access_token": token, "token_type": "Bearer", "expires_in": lasts_s}
        return _json(told | self._id_token_of(grant) | self._codes.renewal_of(grant))

    def _id_token_of(self, grant: Grant) -> dict[str, str]:
        """Who logged in, for the client itself (OpenID Connect Core 1.0, section 2)."""
        if OPENID not in grant.scope.split():
            return {}
        claims = {"aud": grant.client_id, "name": grant.subject}
        claims |= {"nonce": grant.nonce} if grant.nonce else {}
        return {"id_token": self.token(grant.subject, expires_in_s=self.login_lasts_s, claims=claims)}

    def _give_token(self, request: Request) -> Response:
        form = request.form
        subject, expires_in = form.get("sub"), form.get("expires_in", str(EXPIRES_IN_S))
        if form.get("grant_type") == "client_credentials" and request.authorization is not None:
            # a machine; any secret will do. The name is encoded as RFC 6749, section 2.3.1, wants it.
            subject = unquote_plus(request.authorization.username or "")
        if not subject:
            return _refusal("sub: the subject of the token")
        if _SECONDS.fullmatch(expires_in) is None:
            return _refusal("expires_in: 1 to 999999 seconds")
        token = self.token(subject, expires_in_s=int(expires_in), scope=form.get("scope"))
        return _json({"access_token": token, "token_type": "Bearer", "expires_in": int(expires_in)})


def _refusal(description: str) -> Response:
    return _json({"error": "invalid_request", "error_description": description}, 400)


def _json(body: Mapping[str, Any], status: int = 200) -> Response:
    headers = {"cache-control": "no-store"}
    return Response(json.dumps(body), status=status, headers=headers, content_type="application/json")
