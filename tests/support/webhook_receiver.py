"""A receiver of webhooks: a real HTTPS server on the loopback interface, with a certificate of its own."""

from __future__ import annotations

import ssl
import time
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

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
        self.certificate.write_bytes(_certificate_and_key())
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


def _certificate_and_key() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "receiver.example")])
    names: list[x509.GeneralName] = [x509.DNSName("receiver.example"), x509.IPAddress(ip_address(HOST))]
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM) + private
