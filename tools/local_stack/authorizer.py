"""API Gateway's JWT authorizer: which token counts, and what the function behind learns of it.

The rules are those of AWS's page "Control access to HTTP APIs with JWT authorizers", but for the algorithm:
RS256 is the only one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import requests
from joserfc import jwt
from joserfc.errors import ClaimError, ExpiredTokenError, JoseError
from joserfc.jwk import GuestProtocol, Key, KeySet

_ALGORITHMS = ["RS256"]
_PREFIX = "bearer "
_TIMEOUT_S = 10
_WORDS = {
    "iss": "issuer",
    "aud": "audience",
    "client_id": "audience",
    "exp": "expiry",
    "nbf": "start",
    "iat": "start",
}


class UnauthorizedError(Exception):
    """The request carries no token that counts.

    Parameters
    ----------
    reason
        What is wrong with the token; None where there is none.
    """

    def __init__(self, reason: str | None = None) -> None:
        fault = f' scope="" error="invalid_token" error_description="{reason}"' if reason else ""
        self.challenge = f"Bearer{fault}"
        super().__init__(reason or "there is no token")


class JwtAuthorizer:
    """Lets in who brings a token of ``issuer`` for ``audience``; the issuer's keys are read once, here."""

    def __init__(self, issuer: str, audience: str) -> None:
        self._issuer, self._audience = issuer, audience
        configuration = _fetch(f"{issuer}/.well-known/openid-configuration")
        self._keys = KeySet.import_key_set(_fetch(configuration["jwks_uri"]))

    def claims_of(self, authorization: str | None) -> dict[str, str]:
        """The claims of the token in an ``Authorization`` header, as text.

        Raises
        ------
        UnauthorizedError
            If there is no token, or it does not count.
        """
        token = _token_of(authorization or "")
        if not token:
            raise UnauthorizedError
        claims = self._verified(token)
        return {name: _text(value) for name, value in claims.items() if value is not None}

    def _verified(self, token: str) -> dict[str, Any]:
        try:
            claims = jwt.decode(token, self._key_named_by, _ALGORITHMS).claims
            self._rules_for(claims).validate(claims)
        except ClaimError as error:
            raise UnauthorizedError(_reason(error)) from error
        except (JoseError, ValueError, TypeError) as error:
            # A header that is valid JSON but no object makes joserfc raise the built-in ones.
            raise UnauthorizedError("the token is not valid") from error
        return claims

    def _key_named_by(self, token: GuestProtocol) -> Key:
        # Given None, the set would offer its only key; a token has to name its own.
        return self._keys.get_by_kid(token.headers().get("kid") or "")

    def _rules_for(self, claims: Mapping[str, Any]) -> jwt.JWTClaimsRegistry:
        issuer: jwt.ClaimsOption = {"essential": True, "value": self._issuer}
        audience: jwt.ClaimsOption = {"essential": True, "value": self._audience}
        if "aud" in claims:
            return jwt.JWTClaimsRegistry(iss=issuer, aud=audience, exp={"essential": True})
        return jwt.JWTClaimsRegistry(iss=issuer, client_id=audience, exp={"essential": True})


def _token_of(authorization: str) -> str:
    has_prefix = authorization.lower().startswith(_PREFIX)
    return authorization[len(_PREFIX) if has_prefix else 0 :].strip()


def _reason(error: ClaimError) -> str:
    """A sentence of our own: one of the token's might break the header that it goes into."""
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
