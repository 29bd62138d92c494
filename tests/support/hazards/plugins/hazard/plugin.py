"""A plugin for tests whose tools take the analysing process down at frame 5, each in its own way."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from video_jobs.settings import WorkerSettings
from video_worker.dag_runner import Payload, Tool

FRAME = 5
_hoard: list[Any] = []


def crash() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def be_killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def hang() -> None:
    threading.Event().wait()


def swell() -> None:
    while True:
        _hoard.append(np.ones(1 << 22))  # 32 MiB


def burn() -> None:
    while True:
        pass


def lack_memory() -> None:
    raise MemoryError


def fail() -> None:
    raise KeyError("secret detail")


ACTIONS: dict[str, Callable[[], None]] = {
    action.__name__: action for action in (crash, be_killed, hang, swell, burn, lack_memory, fail)
}


class HazardTool:
    def __init__(self, action: Callable[[], None]) -> None:
        self._action = action

    def run(self, payload: Payload) -> dict[str, Any]:
        if payload["frame_index"] == FRAME:
            self._action()
        return {"index": payload["frame_index"], "pid": os.getpid()}


class HazardPlugin:
    def tool(self, tool_id: str) -> Tool:
        return HazardTool(ACTIONS[tool_id])

    def facts(self) -> dict[str, Any]:
        return {"model": "none"}


def create_plugin(settings: WorkerSettings) -> HazardPlugin:
    return HazardPlugin()
