"""A tool whose time for a frame is known, on any machine."""

from __future__ import annotations

import time
from typing import Any

FRAME_S = 0.1


class _Wait:
    def run(self, _: Any) -> dict[str, Any]:
        time.sleep(FRAME_S)
        return {"waited_s": FRAME_S}


class WaiterPlugin:
    """Has one tool."""

    def tool(self, _: str) -> _Wait:
        return _Wait()

    def facts(self) -> dict[str, Any]:
        return {"model": "none"}


def create_plugin(_: Any) -> WaiterPlugin:
    return WaiterPlugin()
