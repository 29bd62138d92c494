"""A server that misbehaves: it drops connections, dawdles, and says what is not so.

It answers with moves. Each request takes the next move of its call (``GET /video/jobs/1``), and the last one
again and again.
"""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tools.local_stack.loopback_server import HOST, LoopbackServer


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came; ``content`` is empty if the move did not read it."""

    call: str
    headers: dict[str, str]
    content: bytes = b""


class Connection:
    """One request and the wire that it came by."""

    def __init__(self, handler: BaseHTTPRequestHandler) -> None:
        self._handler = handler
        self.call = f"{handler.command} {handler.path.partition('?')[0]}"
        self.headers = {name.lower(): value for name, value in handler.headers.items()}

    def read(self) -> Asked:
        length = int(self.headers.get("content-length", 0))
        return Asked(self.call, self.headers, self._handler.rfile.read(length))

    def send(self, data: bytes) -> None:
        self._handler.wfile.write(data)

    def close(self) -> None:
        """End it after what was sent."""
        self._handler.close_connection = True

    def reset(self) -> None:
        """End it at once; the other end sees an error."""
        at_once = struct.pack("ii", 1, 0)
        self._handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
        self.close()


Move = Callable[[Connection], Asked]


def reply(body: Any = None, status: int = 200, *, length: int | None = None, **headers: str) -> Move:
    """An answer; ``length`` is what it says in place of its true length."""
    data = _answer(body, status, length, headers)

    def move(wire: Connection) -> Asked:
        asked = wire.read()
        wire.send(data)
        if length is not None:
            wire.close()
        return asked

    return move


def until_closed(body: bytes, **headers: str) -> Move:
    """An answer that does not say how long it is, and ends with the connection."""
    length = f"content-length: {len(body)}\r\n".encode()
    data = _answer(body, 200, None, headers).replace(length, b"", 1)

    def move(wire: Connection) -> Asked:
        asked = wire.read()
        wire.send(data)
        wire.close()
        return asked

    return move


def answered(make: Callable[[Asked], Any]) -> Move:
    """An answer that depends on what was asked."""

    def move(wire: Connection) -> Asked:
        asked = wire.read()
        wire.send(_answer(make(asked), 200, None, {}))
        return asked

    return move


def cut(body: Any, keep: int) -> Move:
    """The first bytes of an answer, and then the end of the connection."""

    def move(wire: Connection) -> Asked:
        asked = wire.read()
        wire.send(_answer(body, 200, None, {})[:keep])
        wire.reset()
        return asked

    return move


def hang_up(*, is_unread: bool = False) -> Move:
    """No answer: the connection ends, before or after the request was read."""

    def move(wire: Connection) -> Asked:
        asked = Asked(wire.call, wire.headers) if is_unread else wire.read()
        wire.reset()
        return asked

    return move


def slow(body: Any, pause_s: float, *, start: int = 0, stop: int = 10**6, step: int = 10**6) -> Move:
    """An answer whose bytes from ``start`` to ``stop`` come in pieces, with a pause before each."""
    data = _answer(body, 200, None, {})
    stop = min(stop, len(data))

    def move(wire: Connection) -> Asked:
        asked = wire.read()
        wire.send(data[:start])
        for at in range(start, stop, step):
            time.sleep(pause_s)
            wire.send(data[at : min(at + step, stop)])
        wire.send(data[stop:])
        return asked

    return move


class MisbehavingServer(LoopbackServer):
    """API and storage; ``moves`` tells what it does for each call.

    ``asked`` is what it was asked, ``done`` the calls to whose end it came.
    """

    def __init__(self) -> None:
        self.moves: dict[str, list[Move]] = {}
        self.asked: list[Asked] = []
        self.done: list[str] = []
        server = _Server((HOST, 0), _handler_of(self))
        super().__init__(server, "misbehaving-server")

    @property
    def calls(self) -> list[str]:
        """What was asked, in order."""
        return [one.call for one in self.asked]

    def play(self, wire: Connection) -> None:
        moves = self.moves.get(wire.call, [reply({"message": f"{wire.call} has no move"}, 418)])
        move = moves.pop(0) if len(moves) > 1 else moves[0]
        place = len(self.asked)
        self.asked.append(Asked(wire.call, wire.headers))
        self.asked[place] = move(wire)
        self.done.append(wire.call)


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: Any) -> None:
        """A client that went away is what is tested here."""


def _handler_of(server: MisbehavingServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def __getattr__(self, name: str) -> Callable[[], None]:
            if not name.startswith("do_"):
                raise AttributeError(name)
            return lambda: server.play(Connection(self))

        def log_message(self, *_: object) -> None:
            """Nothing of it is of interest."""

    return Handler


def _answer(body: Any, status: int, length: int | None, headers: dict[str, str]) -> bytes:
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    said = {"content-length": str(len(content) if length is None else length)}
    if not isinstance(body, bytes):
        said["content-type"] = "application/json"
    said |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in said.items())]
    return "\r\n".join([*lines, "", ""]).encode() + content
