"""A plugin for tests: quick, without a model."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
from video_jobs.settings import WorkerSettings
from video_worker.dag_runner import Payload, Tool

on_frame: list[Callable[[int], None]] = []


class CountTool:
    def run(self, payload: Payload) -> dict[str, Any]:
        return {"bright": int(np.count_nonzero(payload["image"] > 200))}


class MisbehaveTool:
    def run(self, payload: Payload) -> dict[str, Any]:
        for call in on_frame:
            call(payload["frame_index"])
        return {"bright": payload["frame_index"]}


class DigestTool:
    def run(self, payload: Payload) -> dict[str, Any]:
        return {"digest": hashlib.sha256(payload["image"].tobytes()).hexdigest()}


class CounterPlugin:
    def tool(self, tool_id: str) -> Tool:
        tools: dict[str, Tool] = {"count": CountTool(), "misbehave": MisbehaveTool(), "digest": DigestTool()}
        return tools[tool_id]

    def facts(self) -> dict[str, Any]:
        return {"model": "none"}


def create_plugin(settings: WorkerSettings) -> CounterPlugin:
    return CounterPlugin()
