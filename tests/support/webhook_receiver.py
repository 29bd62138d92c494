"""A receiver of webhooks: a real HTTPS server on the loopback interface, with a certificate of its own."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from tests.support.tls_server import Quiet, TlsServer


@dataclass(frozen=True)
class Call:
    """One request that came."""

    path: str
    headers: dict[str, str]
    body: str


class WebhookReceiver(TlsServer):
    """Answers the statuses in ``answers``, then 204; ``certificate`` is what a caller must trust."""

    def __init__(self, folder: Path) -> None:
        self.calls: list[Call] = []
        self.answers: deque[int] = deque()
        self.drips_after = b""
        self.header_line = ""
        super().__init__(_handler_of(self), folder, "webhook-receiver", "receiver.example")


def _handler_of(receiver: WebhookReceiver) -> type[BaseHTTPRequestHandler]:
    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.calls.append(Call(self.path, headers, body))
            if receiver.drips_after:
                self._drip()
                return
            status = receiver.answers.popleft() if receiver.answers else 204
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("location", f"{receiver.url}/elsewhere")
            if receiver.header_line:
                self.send_header("x", receiver.header_line)
            self.end_headers()

        def _drip(self) -> None:
            """A beginning, then byte by byte without an end, until the caller has had enough."""
            self.wfile.write(receiver.drips_after)
            while True:
                try:
                    self.wfile.write(b"x")
                except OSError:
                    return
                time.sleep(0.05)

    return Handler
