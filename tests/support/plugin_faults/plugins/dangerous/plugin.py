"""A plugin for tests: some of its tools take their process down, or never answer."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import Any

from video_jobs.settings import WorkerSettings
from video_worker.dag_runner import Payload, Tool

ACTIONS: dict[str, Callable[[], object]] = {
    "good": lambda: None,
    "crash": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    "hang": threading.Event().wait,
    "end": lambda: os._exit(3),
    "last": lambda: None,
}


class DangerousTool:
    def __init__(self, action: Callable[[], object]) -> None:
        self._action = action

    def run(self, payload: Payload) -> dict[str, Any]:
        self._action()
        return {"bright": 1}


class DangerousPlugin:
    def tool(self, tool_id: str) -> Tool:
        return DangerousTool(ACTIONS[tool_id])

    def facts(self) -> dict[str, Any]:
        return {"model": "none"}


def create_plugin(settings: WorkerSettings) -> DangerousPlugin:
    return DangerousPlugin()
