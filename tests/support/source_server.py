"""A server of videos: real HTTPS on the loopback interface, reached under public names and addresses."""

from __future__ import annotations

import re
import socket
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from video_jobs.adapters.source_http import HttpsSourceReader

from tests.support.tls_server import Quiet, TlsServer
from tools.local_stack.loopback_server import HOST

PUBLIC = "93.184.216.34"
HOSTS = ("source.example", "cdn.example")
URL = "https://source.example/video?signature=secret"


@dataclass
class SourceFile:
    """What is at a path, and how the server gives it.

    Attributes
    ----------
    is_declared
        Whether its length is told; otherwise it comes in chunks (`Transfer-Encoding`).
    ends_by_closing
        Whether only the end of the connection tells the end of the file.
    heeds_if_range
        Whether a range is given only of the content that was asked for.
    cuts
        After how many bytes of the body the connection breaks, for each answer in turn.
    cuts_properly
        Whether TLS is ended before it breaks.
    drips
        Whether the body comes byte by byte, without an end.
    """

    content: bytes = b""
    etag: str | None = '"one"'
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    has_ranges: bool = True
    is_declared: bool = True
    ends_by_closing: bool = False
    heeds_if_range: bool = True
    cuts: deque[int] = field(default_factory=deque)
    cuts_properly: bool = False
    drips: bool = False


@dataclass(frozen=True)
class Asked:
    """One request that came."""

    path: str
    headers: dict[str, str]


class SourceServer(TlsServer):
    """Serves ``files`` by their path with its query; ``certificate`` is what a caller must trust.

    Attributes
    ----------
    addresses
        What each host name stands for.
    connected
        The addresses and ports to which `reader` connected; all of them lead here.
    """

    def __init__(self, folder: Path) -> None:
        self.files: dict[str, SourceFile] = {}
        self.asked: list[Asked] = []
        self.addresses: dict[str, list[str]] = {host: [PUBLIC] for host in HOSTS}
        self.connected: list[tuple[str, int]] = []
        super().__init__(_handler_of(self), folder, "source-server", *HOSTS)

    def reader(self, wait_s: float = 5) -> HttpsSourceReader:
        """The product's reader, for which all addresses lead to this server."""
        return HttpsSourceReader(self._resolve, self._connect, wait_s)

    def serve(self, content: bytes, path: str = "/video?signature=secret", **how: Any) -> SourceFile:
        """Put a file at a path, by default that of `URL`."""
        self.files[path] = file = SourceFile(content, **how)
        return file

    def redirect(self, path: str, location: str, status: int = 302) -> None:
        self.serve(b"", path, status=status, headers={"location": location})

    def _resolve(self, host: str, _: int) -> list[str]:
        if host not in self.addresses:
            raise socket.gaierror
        return self.addresses[host]

    def _connect(self, where: tuple[str, int], timeout_s: float) -> socket.socket:
        self.connected.append(where)
        return socket.create_connection((HOST, self.port), timeout_s)


def _handler_of(server: SourceServer) -> type[BaseHTTPRequestHandler]:
    class Handler(Quiet, BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            server.asked.append(Asked(self.path, headers))
            file = server.files.get(self.path, SourceFile(status=404))
            start = self._start(file, headers)
            self._head(file, start)
            with suppress(OSError):  # the reader has had enough
                self._body(file, file.content[start or 0 :])
            self.close_connection = True

        def _start(self, file: SourceFile, headers: Mapping[str, str]) -> int | None:
            """Where the range begins; None if the whole file is sent."""
            asked = re.fullmatch(r"bytes=(\d+)-", headers.get("range", ""))
            same = headers.get("if-range") == file.etag or not file.heeds_if_range
            return int(asked[1]) if asked and same and file.has_ranges else None

        def _head(self, file: SourceFile, start: int | None) -> None:
            size = len(file.content)
            beyond = start is not None and start >= size
            self.send_response(416 if beyond else file.status if start is None else 206)
            own = dict(file.headers)
            if file.etag is not None:
                own["etag"] = file.etag
            if start is not None and not beyond:
                own["content-range"] = f"bytes {start}-{size - 1}/{size}"
            if file.ends_by_closing:
                own["connection"] = "close"
            elif file.is_declared:
                own.setdefault("content-length", "0" if beyond else str(size - (start or 0)))
            else:
                own["transfer-encoding"] = "chunked"
            for name, value in own.items():
                self.send_header(name, value)
            self.end_headers()

        def _body(self, file: SourceFile, body: bytes) -> None:
            while file.drips:
                self._write(file, b"x")
                time.sleep(0.05)
            cut = file.cuts.popleft() if file.cuts else None
            self._write(file, body[:cut])
            if (file.ends_by_closing and cut is None) or file.cuts_properly:
                self.connection.unwrap()
            elif cut is not None:
                self.connection.shutdown(socket.SHUT_RDWR)
            elif not file.is_declared:
                self.wfile.write(b"0\r\n\r\n")

        def _write(self, file: SourceFile, content: bytes) -> None:
            self.wfile.write(content if file.is_declared else b"%x\r\n%b\r\n" % (len(content), content))

    return Handler
