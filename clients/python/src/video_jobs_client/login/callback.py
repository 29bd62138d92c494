"""The page of this machine to which the issuer sends the browser back (RFC 8252, section 7.3)."""

from __future__ import annotations

import os
import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs, urlsplit

from video_jobs_client.login.errors import LoginError

HOST = "127.0.0.1"
PORT = 8765
PATH = "/callback"
_LOOK_FOR_SHUTDOWN_S = 0.05
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>video-jobs</title>
<body style="font: 1.1rem/1.5 system-ui, sans-serif; margin: 4rem auto; max-width: 32rem">
<h1>{title}</h1><p>You can close this page and go back to the terminal{rest}.</p></body></html>
"""
_HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
    "connection": "close",
}


class CallbackPage:
    """Listens inside the ``with`` block, on the loopback interface only.

    Parameters
    ----------
    port
        8765, which is registered with the issuer; 0 takes a free one, for issuers that accept any.

    Raises
    ------
    LoginError
        If something else listens there.
    """

    def __init__(self, port: int = PORT) -> None:
        try:
            self._server = _Server((HOST, port), _Handler)
        except OSError as error:
            raise LoginError(
                f"the browser is sent back to port {port} of this machine, which is taken "
                f"({error.strerror}): end the other program (perhaps another login)"
            ) from error
        self.redirect_uri = f"http://localhost:{self._server.server_port}{PATH}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_LOOK_FOR_SHUTDOWN_S,), name="login", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def wait(self, timeout_s: float) -> str:
        """The query with which the browser came back; raises LoginError if it did not."""
        try:
            return self._server.received.get(timeout=timeout_s)
        except queue.Empty:
            raise LoginError(
                f"nobody logged in within {timeout_s:g} seconds: run: video-jobs login"
            ) from None


class _Server(ThreadingHTTPServer):
    # A thread for each connection: browsers open some in advance, on which they send nothing.
    daemon_threads = True
    # On Windows, the option would let two programs listen on one port.
    allow_reuse_address = os.name == "posix"

    def __init__(self, *args: object) -> None:
        self.received: queue.SimpleQueue[str] = queue.SimpleQueue()
        super().__init__(*args)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 30

    def do_GET(self) -> None:
        """Answer the browser, then hand over what it brought."""
        parts = urlsplit(self.path)
        if parts.path != PATH:
            self._answer(404, "Nothing is here", "")
            return
        if "code" in parse_qs(parts.query):
            self._answer(200, "The browser has done its part", ", which says whether you are logged in")
        else:
            self._answer(200, "The login did not succeed", ", which says why")
        self.server.received.put(parts.query)

    def _answer(self, status: int, title: str, rest: str) -> None:
        page = _PAGE.format(title=title, rest=rest).encode()
        self.send_response(status)
        for name, value in {**_HEADERS, "content-length": str(len(page))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_: object) -> None:
        """Nothing: the line would show the code."""
