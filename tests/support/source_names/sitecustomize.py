"""Python runs this when a function of an end-to-end test starts: a public name leads to the test's server.

The product has no setting for it. It still checks the names, and the public address that they stand for.
"""

from __future__ import annotations

import os
import socket
from typing import Any

_PUBLIC = "93.184.216.34"
_PORT = int(os.environ["SOURCE_SERVER_PORT"])
_getaddrinfo, _create_connection = socket.getaddrinfo, socket.create_connection


def _resolved(host: Any, port: Any, *rest: Any, **named: Any) -> Any:
    if host != "source.example":
        return _getaddrinfo(host, port, *rest, **named)
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (_PUBLIC, port))]


def _connected(address: Any, *rest: Any, **named: Any) -> Any:
    return _create_connection(("127.0.0.1", _PORT) if address[0] == _PUBLIC else address, *rest, **named)


vars(socket).update(getaddrinfo=_resolved, create_connection=_connected)
