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

_TIMEOUT_S = 60
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding"}
_STORM_S = 0.6


@dataclass
class Faults:
    """How likely each fault is, a request; ``storm`` fails every request to one service for a while.

    Storms are what gets through: the SDK's own retries hide most single faults.
    """

    random: Random
    server_error: float = 0.02
    throttle: float = 0.02
    dropped: float = 0.02
    lost_answer: float = 0.02
    slow: float = 0.03
    storm: float = 0.004
    enabled: bool = False
    injected: Counter[str] = field(default_factory=Counter)
    _storm_ends: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def draw(self, service: str) -> str | None:
        """The fault of the next request to a service, or None."""
        if not self.enabled:
            return None
        with self._lock:
            kind = self._drawn(service)
            if kind is not None:
                self.injected[kind] += 1
        return kind

    def _drawn(self, service: str) -> str | None:
        if self._storm_ends.get(service, 0.0) > time.monotonic():
            return self.random.choice(("server_error", "throttle", "dropped", "lost_answer"))
        if self.random.random() < self.storm:
            self._storm_ends[service] = time.monotonic() + _STORM_S
            return "storm"
        kinds = ("server_error", "throttle", "dropped", "lost_answer", "slow")
        weights = [self.server_error, self.throttle, self.dropped, self.lost_answer, self.slow]
        chosen = self.random.choices((*kinds, None), (*weights, 1 - sum(weights)))
        return chosen[0]


class FaultyProxy(LoopbackServer):
    """Listens on a free port of the loopback interface and forwards to ``target``."""

    def __init__(self, target: str, faults: Faults) -> None:
        super().__init__(_Server(urlsplit(target).netloc, faults), "faulty-proxy")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, target: str, faults: Faults) -> None:
        super().__init__((HOST, 0), _Handler)
        self.target = target
        self.faults = faults

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed has hung up: nothing to say."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_any(self) -> None:
        """Forward one request, or fail it."""
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        service = _service_of(self.headers.get("x-amz-target", ""))
        fault = self.server.faults.draw(service)
        if fault in ("server_error", "storm"):
            self._answer(*_error(service, 500, "InternalError"))
        elif fault == "throttle":
            self._answer(*_throttled(service))
        elif fault == "dropped":
            self._hang_up()
        else:
            self._forward(body, fault)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_OPTIONS = do_any  # noqa: N815 - as http.server names them

    def log_message(self, *_: Any) -> None:
        """Nothing: a signed URL must not reach a log."""

    def _forward(self, body: bytes, fault: str | None) -> None:
        if fault == "slow":
            time.sleep(self.server.faults.random.uniform(0.1, 1.0))
        upstream = http.client.HTTPConnection(self.server.target, timeout=_TIMEOUT_S)
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
            upstream.request(self.command, self.path, body, headers)
            answer = upstream.getresponse()
            content = answer.read()
        finally:
            upstream.close()
        if fault == "lost_answer":
            self._hang_up()
            return
        kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in _HOP_BY_HOP]
        self._answer(answer.status, content, kept)

    def _answer(self, status: int, content: bytes, headers: list[tuple[str, str]]) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() != "content-length" or self.command == "HEAD":
                self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("content-length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _hang_up(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)


def _service_of(target: str) -> str:
    return {"DynamoDB": "dynamodb", "AmazonSQS": "sqs"}.get(target.split(".")[0].split("_")[0], "s3")


def _throttled(service: str) -> tuple[int, bytes, list[tuple[str, str]]]:
    if service == "s3":
        return _error(service, 503, "SlowDown")
    code = "ProvisionedThroughputExceededException" if service == "dynamodb" else "ThrottlingException"
    return _error(service, 400, code)


def _error(service: str, status: int, code: str) -> tuple[int, bytes, list[tuple[str, str]]]:
    """An error as the service would word it."""
    if service == "s3":
        text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>injected</Message></Error>"
        return status, text.encode(), [("content-type", "application/xml")]
    body = json.dumps({"__type": f"com.amazonaws.{service}#{code}", "message": "injected"})
    return status, body.encode(), [("content-type", "application/x-amz-json-1.0")]
