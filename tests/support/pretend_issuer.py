"""An issuer of tokens that gives one prepared answer to everything."""

from __future__ import annotations

import json
from typing import Any

from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from tools.local_stack.loopback_server import HOST, LoopbackServer


class PretendIssuer(LoopbackServer):
    def __init__(self) -> None:
        self.answer(500, "")
        super().__init__(make_server(HOST, 0, Request.application(self._respond)), "issuer")

    def answer(self, status: int, body: Any, **headers: str) -> None:
        """What it says from now on; text as it stands, everything else as JSON."""
        text = body if isinstance(body, str) else json.dumps(body)
        self._prepared = text, status, headers

    def _respond(self, _: Request) -> Response:
        text, status, headers = self._prepared
        return Response(text, status=status, headers=headers)
