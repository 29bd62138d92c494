"""An issuer of tokens for development: it asks for no password, so it serves the loopback interface only."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from typing import Any

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from tools.local_stack.loopback_server import HOST, LoopbackServer

AUDIENCE = "video-jobs"
ALGORITHM = "RS256"
EXPIRES_IN_S = 3600
_KEY_BITS = 2048
_SECONDS = re.compile(r"[1-9][0-9]{0,5}")


class DevelopmentIssuer(LoopbackServer):
    """Gives every caller a token for any subject, signed with a key that lives as long as the issuer."""

    def __init__(self, audience: str = AUDIENCE) -> None:
        self.audience = audience
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

    def _answer(self, request: Request) -> Response:
        match request.method, request.path:
            case "GET", "/.well-known/openid-configuration":
                return _json(self._configuration())
            case "GET", "/.well-known/jwks.json":
                return _json(KeySet([self._key]).as_dict(private=False))
            case "POST", "/token":
                return self._give_token(request.form)
        return _json({"error": "not_found"}, 404)

    def _configuration(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/.well-known/jwks.json",
            "token_endpoint": self.token_url,
            "response_types_supported": ["token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
        }

    def _give_token(self, form: Mapping[str, str]) -> Response:
        subject, expires_in = form.get("sub"), form.get("expires_in", str(EXPIRES_IN_S))
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
