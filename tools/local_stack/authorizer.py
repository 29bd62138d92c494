"""API Gateway's JWT authorizer: which tokens are valid, and which claims the function behind it gets.

The rules are those of AWS's page "Control access to HTTP APIs with JWT authorizers", except for the
algorithm: RS256 is the only one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import requests
from joserfc import jwt
from joserfc.errors import ClaimError, ExpiredTokenError, JoseError
from joserfc.jwk import GuestProtocol, Key, KeySet

_ALGORITHMS = ["RS256"]
_TIMEOUT_S = 10
_WORDS = {"iss": "issuer", "aud": "audience", "client_id": "audience", "exp": "expiry"}
_WORDS |= {"nbf": "start", "iat": "start"}


class UnauthorizedError(Exception):
    """The request carries no valid token; ``reason`` says what is wrong with the one that it has."""

    def __init__(self, reason: str | None = None) -> None:
        fault = f' scope="" error="invalid_token" error_description="{reason}"' if reason else ""
        self.challenge = f"Bearer{fault}"
        super().__init__(reason or "there is no token")


class JwtAuthorizer:
    """Accepts tokens of ``issuer`` for ``audience``; the issuer's keys are read once, here."""

    def __init__(self, issuer: str, audience: str) -> None:
        self._issuer, self._audience = issuer, audience
        configuration = _fetch(f"{issuer}/.well-known/openid-configuration")
        self._keys = KeySet.import_key_set(_fetch(configuration["jwks_uri"]))

    def claims_of(self, authorization: str | None) -> dict[str, str]:
        """The claims of the token in an ``Authorization`` header, as text.

        Raises
        ------
        UnauthorizedError
            If there is no token, or it is not valid.
        """
        token = re.sub("^bearer ", "", authorization or "", flags=re.IGNORECASE).strip()
        if not token:
            raise UnauthorizedError
        try:
            claims = jwt.decode(token, self._key_named_by, _ALGORITHMS).claims
            self._rules_for(claims).validate(claims)
        except ClaimError as error:
            raise UnauthorizedError(_reason(error)) from error
        except (JoseError, ValueError, TypeError) as error:
            # A header that is valid JSON but no object makes joserfc raise the built-in ones.
            raise UnauthorizedError("the token is not valid") from error
        return {name: _text(value) for name, value in claims.items() if value is not None}

    def _key_named_by(self, token: GuestProtocol) -> Key:
        # Given None, the set would offer its only key; a token has to name its own.
        return self._keys.get_by_kid(token.headers().get("kid") or "")

    def _rules_for(self, claims: Mapping[str, Any]) -> jwt.JWTClaimsRegistry:
        issuer: jwt.ClaimsOption = {"essential": True, "value": self._issuer}
        audience: jwt.ClaimsOption = {"essential": True, "value": self._audience}
        if "aud" in claims:
            return jwt.JWTClaimsRegistry(iss=issuer, aud=audience, exp={"essential": True})
        return jwt.JWTClaimsRegistry(iss=issuer, client_id=audience, exp={"essential": True})


def _reason(error: ClaimError) -> str:
    """A sentence without any text of the token, which could break the header that it goes into."""
    if isinstance(error, ExpiredTokenError):
        return "the token has expired"
    return f"the token does not have a valid {_WORDS.get(error.claim, 'set of claims')}"


def _text(value: Any) -> str:
    match value:
        case str():
            return value
        case list():
            return f"[{' '.join(_text(part) for part in value)}]"
    return json.dumps(value)


def _fetch(url: str) -> Any:
    answer = requests.get(url, timeout=_TIMEOUT_S)
    answer.raise_for_status()
    return answer.json()
