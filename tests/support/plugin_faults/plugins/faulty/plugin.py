"""A plugin for tests whose tools, but for two, break their word, each in its own way."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from video_jobs.settings import WorkerSettings
from video_worker.dag_runner import Payload, Tool


def fail(_: Payload) -> Any:
    raise LookupError("nothing there")


ANSWERS: dict[str, Callable[[Payload], Any]] = {
    "good": lambda payload: {"bright": int(payload["image"].max())},
    "uses_good": lambda payload: {"doubled": 2 * payload["bright"]},
    "unmet": lambda payload: {"bright": 1},
    "undeclared": lambda payload: {"doubled": 2 * payload["bright"]},
    "lacking": lambda payload: {"bright": 1},
    "adding": lambda payload: {"bright": 1, "pid": 2},
    "no_dict": lambda payload: ["bright"],
    "nan": lambda payload: {"bright": float("nan")},
    "numpy": lambda payload: {"bright": np.int64(1)},
    "boxes": lambda payload: {"detections": [{"box": [1, 2, 3, 4]}]},
    "failing": fail,
    "leaving": lambda payload: sys.exit(0),
}


class FaultyTool:
    def __init__(self, answer: Callable[[Payload], Any]) -> None:
        self._answer = answer

    def run(self, payload: Payload) -> dict[str, Any]:
        answer: dict[str, Any] = self._answer(payload)
        return answer


class FaultyPlugin:
    def tool(self, tool_id: str) -> Tool:
        return FaultyTool(ANSWERS[tool_id])

    def facts(self) -> dict[str, Any]:
        return {"model": "none"}


def create_plugin(settings: WorkerSettings) -> FaultyPlugin:
    return FaultyPlugin()
