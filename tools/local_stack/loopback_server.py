"""An HTTP server in a thread, on the loopback interface only."""

from __future__ import annotations

import threading
from http.server import HTTPServer
from typing import Self

HOST = "127.0.0.1"
_LOOK_FOR_SHUTDOWN_S = 0.05


class LoopbackServer:
    """Serves inside the ``with`` block; ``url`` is where."""

    def __init__(self, server: HTTPServer, name: str) -> None:
        self._server = server
        self._thread = threading.Thread(
            target=server.serve_forever, args=(_LOOK_FOR_SHUTDOWN_S,), name=name, daemon=True
        )
        self.url = f"http://{HOST}:{server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
