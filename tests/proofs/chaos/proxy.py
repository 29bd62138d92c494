"""An HTTP proxy in front of AWS that fails as networks and services do."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any
from urllib.parse import urlsplit

from tools.local_stack.loopback_server import HOST, LoopbackServer

_STORM_S = 0.6
_TIMEOUT_S = 60
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding"}
_HOW_LIKELY = {
    **{"server_error": 0.02, "throttle": 0.02, "dropped": 0.02, "lost_answer": 0.02, "slow": 0.03},
    # Every request to one service fails for a while: the SDK's own retries hide most single faults.
    "storm": 0.004,
}
Headers = list[tuple[str, str]]


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
        super().__init__(_Server(urlsplit(target).netloc, faults), "faulty-proxy")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, target: str, faults: Faults) -> None:
        super().__init__((HOST, 0), _Handler)
        self.target, self.faults = target, faults

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a client that was killed has closed its connection."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        service = _service_of(self.headers.get("x-amz-target", ""))
        fault = self.server.faults.draw(service)
        if fault in ("server_error", "storm", "throttle"):
            self._answer(*_error(service, is_throttle=fault == "throttle"))
            return
        if fault == "slow":
            time.sleep(self.server.faults.random.uniform(0.1, 1.0))
        answer = None if fault == "dropped" else self._forwarded(body)
        if answer is None or fault == "lost_answer":
            self._hang_up()
        else:
            self._answer(*answer)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_OPTIONS = do_any  # noqa: N815 - as http.server names them

    def log_message(self, *_: Any) -> None:
        """Nothing: a signed URL must not reach a log."""

    def _forwarded(self, body: bytes) -> tuple[int, bytes, Headers]:
        upstream = http.client.HTTPConnection(self.server.target, timeout=_TIMEOUT_S)
        try:
            upstream.request(self.command, self.path, body, dict(_end_to_end(self.headers.items())))
            answer = upstream.getresponse()
            return answer.status, answer.read(), _end_to_end(answer.getheaders())
        finally:
            upstream.close()

    def _answer(self, status: int, content: bytes, headers: Headers) -> None:
        self.send_response_only(status)
        if self.command == "HEAD":
            content = b""  # its answer has the length of the content, and no content
        else:
            headers = [header for header in headers if header[0].lower() != "content-length"]
            headers.append(("content-length", str(len(content))))
        for header in headers:
            self.send_header(*header)
        self.end_headers()
        self.wfile.write(content)

    def _hang_up(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)


def _end_to_end(headers: Any) -> Headers:
    return [(name, value) for name, value in headers if name.lower() not in _HOP_BY_HOP]


def _service_of(target: str) -> str:
    return {"DynamoDB": "dynamodb", "AmazonSQS": "sqs"}.get(target.split(".")[0].split("_")[0], "s3")


def _error(service: str, *, is_throttle: bool) -> tuple[int, bytes, Headers]:
    """An error as the service would word it."""
    if service == "s3":
        status, code = (503, "SlowDown") if is_throttle else (500, "InternalError")
        text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>injected</Message></Error>"
        return status, text.encode(), [("content-type", "application/xml")]
    throttled = "ProvisionedThroughputExceededException" if service == "dynamodb" else "ThrottlingException"
    status, code = (400, throttled) if is_throttle else (500, "InternalError")
    body = json.dumps({"__type": f"com.amazonaws.{service}#{code}", "message": "injected"})
    return status, body.encode(), [("content-type", "application/x-amz-json-1.0")]
