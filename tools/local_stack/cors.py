"""Cross-origin requests, as API Gateway answers them for an HTTP API with a CORS configuration.

The rules are those of AWS's page "Configure CORS for HTTP APIs in API Gateway": an answer to a request with
an allowed ``Origin`` gets the configured headers, in place of those of the function. A preflight that no
route takes is answered by API Gateway itself; one that a route takes goes there, authorizer included. The
page says nothing of the answers that API Gateway makes itself, such as 401; here they get the headers, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from werkzeug.wrappers import Request, Response

_PREFIX = "access-control-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cors:
    """What browsers of other origins may do; an origin is ``*``, an address, or a scheme (``https://*``)."""

    origins: Sequence[str]
    methods: Sequence[str]
    headers: Sequence[str]
    exposed: Sequence[str]
    max_age_s: int

    @classmethod
    def of_http_api(cls, configuration: Mapping[str, Any]) -> Self:
        """The property ``CorsConfiguration`` of an ``AWS::Serverless::HttpApi``."""
        return cls(
            origins=configuration["AllowOrigins"],
            methods=configuration["AllowMethods"],
            headers=configuration["AllowHeaders"],
            exposed=configuration["ExposeHeaders"],
            max_age_s=configuration["MaxAge"],
        )

    def add_headers(self, request: Request, answer: Response) -> None:
        """Replace the CORS headers of an answer."""
        for name in [name for name, _ in answer.headers if name.lower().startswith(_PREFIX)]:
            del answer.headers[name]
        allowed = self._allowed(request.headers.get("Origin", ""))
        if allowed is None:
            return
        answer.headers[f"{_PREFIX}allow-origin"] = allowed
        answer.headers[f"{_PREFIX}expose-headers"] = ",".join(self.exposed)
        if allowed != "*":
            answer.headers["vary"] = "Origin"
        if is_preflight(request):
            answer.headers[f"{_PREFIX}allow-methods"] = ",".join(self.methods)
            answer.headers[f"{_PREFIX}allow-headers"] = ",".join(self.headers)
            answer.headers[f"{_PREFIX}max-age"] = str(self.max_age_s)

    def _allowed(self, origin: str) -> str | None:
        if not origin:
            return None
        if "*" in self.origins:
            return "*"
        scheme = f"{origin.partition('://')[0]}://*"
        return origin if origin in self.origins or scheme in self.origins else None


def is_preflight(request: Request) -> bool:
    """Whether a browser asks if it may send a request."""
    headers = request.headers
    return request.method == "OPTIONS" and "Origin" in headers and "Access-Control-Request-Method" in headers
