"""Servers of real HTTPS on the loopback interface, each with a certificate of its own."""

from __future__ import annotations

import ssl
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


class Quiet:
    """A handler that prints nothing of what it is asked."""

    def log_message(self, *_: Any) -> None:
        pass


class TlsServer(LoopbackServer):
    """``certificate`` is what a caller must trust; its hosts are some names and loopback."""

    def __init__(self, handler: type[BaseHTTPRequestHandler], folder: Path, name: str, *hosts: str) -> None:
        self.certificate = folder / f"{name}.pem"
        self.certificate.write_bytes(certificate_and_key(*hosts))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate)
        server = ThreadingHTTPServer((HOST, 0), handler)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        super().__init__(server, name)
        self.port = server.server_port
        self.url = f"https://{HOST}:{self.port}"


def certificate_and_key(*hosts: str) -> bytes:
    """A certificate for some host names and for loopback, signed by itself, and its key (PEM)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])])
    names: list[x509.GeneralName] = [*map(x509.DNSName, hosts), x509.IPAddress(ip_address(HOST))]
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
