"""Cross-origin requests to the bucket, as S3 answers them; moto does not add the headers to posted forms.

S3 takes the first rule that has the request's origin, method and headers, and answers a preflight without
such a rule with 403 (AWS's page "Using cross-origin resource sharing").
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from werkzeug.wrappers import Request, Response

from tools.local_stack.cors import is_preflight

Wsgi = Callable[[Any, Any], Iterable[bytes]]


class BucketCors:
    """Stands before ``app`` and applies the ``CorsRules`` of a bucket of the template."""

    def __init__(self, app: Wsgi, rules: Sequence[Mapping[str, Any]]) -> None:
        self._app, self._rules = app, list(rules)

    def add(self, rules: Sequence[Mapping[str, Any]]) -> None:
        """Apply these rules, too."""
        self._rules.extend(rules)

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        """Answer one request."""
        request = Request(environ)
        if is_preflight(request):
            return self._answer_to_preflight(request)(environ, start_response)
        added = _headers(self._rule_for(request, request.method), request)

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            return start_response(status, [*headers, *added], *rest)

        return self._app(environ, start)

    def _answer_to_preflight(self, request: Request) -> Response:
        rule = self._rule_for(request, request.headers["Access-Control-Request-Method"])
        wanted = request.headers.get("Access-Control-Request-Headers", "")
        names = [name.strip().lower() for name in wanted.split(",") if name.strip()]
        if rule is None or not all(_is_one_of(rule["AllowedHeaders"], name) for name in names):
            return Response("CORSResponse: This CORS request is not allowed.", status=403)
        more = [("Access-Control-Allow-Headers", ", ".join(names))] if names else []
        more.append(("Access-Control-Max-Age", str(rule["MaxAge"])))
        return Response(headers=[*_headers(rule, request), *more])

    def _rule_for(self, request: Request, method: str) -> Mapping[str, Any] | None:
        origin = request.headers.get("Origin")
        if origin is None:
            return None
        matching = (rule for rule in self._rules if _is_one_of(rule["AllowedOrigins"], origin))
        return next((rule for rule in matching if method in rule["AllowedMethods"]), None)


def _headers(rule: Mapping[str, Any] | None, request: Request) -> list[tuple[str, str]]:
    if rule is None:
        return []
    return [
        ("Access-Control-Allow-Origin", request.headers["Origin"]),
        ("Access-Control-Allow-Methods", ", ".join(rule["AllowedMethods"])),
        ("Access-Control-Expose-Headers", ", ".join(rule["ExposedHeaders"])),
        ("Vary", "Origin"),
    ]


def _is_one_of(patterns: Iterable[str], value: str) -> bool:
    return any(fnmatchcase(value, pattern) for pattern in patterns)
