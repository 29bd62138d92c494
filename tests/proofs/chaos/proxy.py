"""An HTTP proxy in front of AWS that fails as networks and services do."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from urllib.parse import urlsplit

from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from tools.local_stack.loopback_server import HOST, LoopbackServer

_STORM_S = 0.6
_TIMEOUT_S = 60
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding"}
_HOW_LIKELY = {
    **{"server_error": 0.02, "throttle": 0.02, "dropped": 0.02, "lost_answer": 0.02, "slow": 0.03},
    # Every request to one service fails for a while: the SDK's own retries hide most single faults.
    "storm": 0.004,
}


@dataclass
class Faults:
    """How likely each fault is, a request; without ``enabled`` there is none."""

    random: Random
    likely: dict[str, float] = field(default_factory=lambda: _HOW_LIKELY)
    enabled: bool = False
    injected: Counter[str] = field(default_factory=Counter)
    _storm_ends: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def draw(self, service: str) -> str | None:
        with self._lock:
            kind = self._drawn(service) if self.enabled else None
            self.injected.update([kind] if kind else [])
        return kind

    def _drawn(self, service: str) -> str | None:
        if self._storm_ends.get(service, 0.0) > time.monotonic():
            return self.random.choice(("server_error", "throttle", "dropped", "lost_answer"))
        weights = [*self.likely.values(), 1 - sum(self.likely.values())]
        (kind,) = self.random.choices([*self.likely, None], weights)
        if kind == "storm":
            self._storm_ends[service] = time.monotonic() + _STORM_S
        return kind


class FaultyProxy(LoopbackServer):
    """Listens on a free port of the loopback interface and forwards to ``target``."""

    def __init__(self, target: str, faults: Faults) -> None:
        self._target, self._faults = urlsplit(target).netloc, faults
        application = Request.application(self._answer)
        super().__init__(make_server(HOST, 0, application, threaded=True), "faulty-proxy")

    def _answer(self, request: Request) -> Response:
        service = _service_of(request.headers.get("x-amz-target", ""))
        fault = self._faults.draw(service)
        if fault in ("server_error", "storm", "throttle"):
            return _error(service, is_throttle=fault == "throttle")
        if fault == "slow":
            time.sleep(self._faults.random.uniform(0.1, 1.0))
        answer = Response() if fault == "dropped" else self._forwarded(request)
        if fault in ("dropped", "lost_answer"):
            with suppress(OSError):  # a client that was killed has closed its connection
                request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        return answer

    def _forwarded(self, request: Request) -> Response:
        upstream = http.client.HTTPConnection(self._target, timeout=_TIMEOUT_S)
        try:
            headers = dict(_end_to_end(request.headers))
            upstream.request(request.method, request.environ["REQUEST_URI"], request.get_data(), headers)
            answer = upstream.getresponse()
            response = Response(answer.read(), answer.status, _end_to_end(answer.getheaders()))
            if request.method == "HEAD":  # its answer has the length of the content, and no content
                response.headers["content-length"] = answer.headers.get("content-length", "0")
            return response
        finally:
            upstream.close()


def _end_to_end(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers if name.lower() not in _HOP_BY_HOP]


def _service_of(target: str) -> str:
    return {"DynamoDB": "dynamodb", "AmazonSQS": "sqs"}.get(target.split(".")[0].split("_")[0], "s3")


def _error(service: str, *, is_throttle: bool) -> Response:
    """An error as the service would word it."""
    if service == "s3":
        status, code = (503, "SlowDown") if is_throttle else (500, "InternalError")
        text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>injected</Message></Error>"
        return Response(text, status, content_type="application/xml")
    throttled = "ProvisionedThroughputExceededException" if service == "dynamodb" else "ThrottlingException"
    status, code = (400, throttled) if is_throttle else (500, "InternalError")
    body = json.dumps({"__type": f"com.amazonaws.{service}#{code}", "message": "injected"})
    return Response(body, status, content_type="application/x-amz-json-1.0")
