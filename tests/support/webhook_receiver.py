"""A receiver of webhooks: a real HTTPS server on the loopback interface, with a certificate of its own."""

from __future__ import annotations

import ssl
import time
from collections import deque
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.support.certificates import certificate_and_key
from tools.local_stack.loopback_server import HOST, LoopbackServer


@dataclass(frozen=True)
class Call:
    """One request that came."""

    path: str
    headers: dict[str, str]
    body: str


class WebhookReceiver(LoopbackServer):
    """Answers the statuses in ``answers``, then 204; ``certificate`` is what a caller must trust."""

    def __init__(self, folder: Path) -> None:
        self.calls: list[Call] = []
        self.answers: deque[int] = deque()
        self.drips_after = b""
        self.header_line = ""
        self.certificate = folder / "receiver.pem"
        self.certificate.write_bytes(certificate_and_key("receiver.example"))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate)
        server = ThreadingHTTPServer((HOST, 0), _handler_of(self))
        server.socket = context.wrap_socket(server.socket, server_side=True)
        super().__init__(server, "webhook-receiver")
        self.port = server.server_port
        self.url = f"https://{HOST}:{self.port}"


def _handler_of(receiver: WebhookReceiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
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

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
