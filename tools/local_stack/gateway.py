"""An HTTP gateway in front of the functions: API Gateway's HTTP API, payload format 2.0."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from tools.local_stack.authorizer import JwtAuthorizer, UnauthorizedError
from tools.local_stack.console import Console
from tools.local_stack.cors import Cors, is_preflight
from tools.local_stack.functions import FunctionError
from tools.local_stack.loopback_server import HOST, LoopbackServer
from tools.local_stack.template import Route

MAX_PAYLOAD_BYTES = 10 * 2**20
MAX_INVOKE_BYTES = 6 * 2**20
LOCAL_OWNER = "local"
_TEXT_TYPES = ("application/json", "text/", "application/xml", "application/javascript")

Invoke = Callable[[str, Mapping[str, Any]], Any]


class Gateway(LoopbackServer):
    """Serves the routes on the loopback interface.

    Parameters
    ----------
    authorizer
        Without one, every caller is the owner ``local``.
    cors
        Without it, browsers of other origins may not call.
    console
        Its files are served beside the routes.
    """

    def __init__(
        self,
        port: int,
        routes: list[Route],
        invoke: Invoke,
        *,
        authorizer: JwtAuthorizer | None = None,
        cors: Cors | None = None,
        console: Console | None = None,
    ) -> None:
        self._routes = [(route, _pattern(route.path)) for route in sorted(routes, key=_rank)]
        self._invoke = invoke
        self._authorizer = authorizer
        self._cors = cors
        self._console = console
        super().__init__(make_server(HOST, port, Request.application(self._answer), threaded=True), "gateway")

    def _answer(self, request: Request) -> Response:
        answer = self._answer_to_own_origin(request)
        if self._cors is not None:
            self._cors.add_headers(request, answer)
        return answer

    def _answer_to_own_origin(self, request: Request) -> Response:
        if (request.content_length or 0) > MAX_PAYLOAD_BYTES:
            return _gateway_error(413, "Request Entity Too Large")
        page = None if self._console is None else self._console.answer(request)
        if page is not None:
            return page
        for route, pattern in self._routes:
            found = pattern.fullmatch(request.path)
            if found is not None and route.method in (request.method, "ANY"):
                return self._call(route, found.groupdict(), request)
        if self._cors is not None and is_preflight(request):
            return Response(status=204)
        return _gateway_error(404, "Not Found")

    def _call(self, route: Route, parameters: dict[str, str], request: Request) -> Response:
        try:
            claims = self._claims_of(route, request)
        except UnauthorizedError as error:
            return _unauthorized(error)
        event = to_event(request, route, parameters, claims)
        if len(event.get("body") or "") > MAX_INVOKE_BYTES:
            return _gateway_error(413, "Request Entity Too Large")
        try:
            answer = self._invoke(route.function, event)
        except FunctionError:
            return _gateway_error(500, "Internal Server Error")
        if len(json.dumps(answer)) > MAX_INVOKE_BYTES:
            return _gateway_error(500, "Internal Server Error")
        return _to_response(answer)

    def _claims_of(self, route: Route, request: Request) -> Mapping[str, str] | None:
        if self._authorizer is None:
            return {"sub": LOCAL_OWNER}
        return None if route.is_open else self._authorizer.claims_of(request.headers.get("Authorization"))


def to_event(
    request: Request, route: Route, parameters: Mapping[str, str], claims: Mapping[str, str] | None
) -> dict[str, Any]:
    """The event that API Gateway makes of a request (payload format 2.0)."""
    body = request.get_data()
    is_text = request.mimetype.startswith(_TEXT_TYPES)
    now = time.time()
    return {
        "version": "2.0",
        "routeKey": f"{route.method} {route.path}",
        "rawPath": request.path,
        "rawQueryString": request.query_string.decode("latin-1"),
        "headers": {name.lower(): value for name, value in request.headers.items()},
        "queryStringParameters": {key: ",".join(request.args.getlist(key)) for key in request.args},
        "pathParameters": dict(parameters),
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "local",
            **_authorizer_part(claims),
            "domainName": request.host,
            "http": {
                "method": request.method,
                "path": request.path,
                "protocol": "HTTP/1.1",
                "sourceIp": request.remote_addr,
                "userAgent": request.headers.get("User-Agent", ""),
            },
            "requestId": str(uuid4()),
            "routeKey": f"{route.method} {route.path}",
            "stage": "$default",
            "time": datetime.fromtimestamp(now, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(now * 1000),
        },
        "body": _body_text(body, is_text=is_text),
        "isBase64Encoded": bool(body) and not is_text,
    }


def _authorizer_part(claims: Mapping[str, str] | None) -> dict[str, Any]:
    """Claims as API Gateway hands them on: scopes only where a route asks for some, and none of ours does."""
    return {} if claims is None else {"authorizer": {"jwt": {"claims": dict(claims), "scopes": None}}}


def _body_text(body: bytes, *, is_text: bool) -> str | None:
    if not body:
        return None
    return body.decode("utf-8", "replace") if is_text else base64.b64encode(body).decode()


def _to_response(answer: Mapping[str, Any]) -> Response:
    body = answer.get("body") or ""
    content = base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()
    return Response(content, status=answer["statusCode"], headers=dict(answer.get("headers") or {}))


def _gateway_error(status: int, message: str) -> Response:
    return Response(json.dumps({"message": message}), status=status, content_type="application/json")


def _unauthorized(error: UnauthorizedError) -> Response:
    response = _gateway_error(401, "Unauthorized")
    response.headers["www-authenticate"] = error.challenge
    return response


def _rank(route: Route) -> tuple[bool, bool]:
    """API Gateway takes the most specific route: a full path before a greedy one, a method before ANY."""
    return "+}" in route.path, route.method == "ANY"


def _pattern(path: str) -> re.Pattern[str]:
    greedy = re.sub(r"\\\{(\w+)\\\+\\\}", r"(?P<\1>.+)", re.escape(path))
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", greedy))
