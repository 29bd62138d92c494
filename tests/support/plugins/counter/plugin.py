"""Counts bright pixels; ``misbehave`` does what a test put into ``on_frame``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from video_jobs.settings import WorkerSettings
from video_worker.dag_runner import Payload

from tests.support.function_plugin import FunctionPlugin

on_frame: list[Callable[[int], None]] = []


def count(payload: Payload) -> dict[str, Any]:
    return {"bright": int(np.count_nonzero(payload["image"] > 200))}


def misbehave(payload: Payload) -> dict[str, Any]:
    for call in on_frame:
        call(payload["frame_index"])
    return {"bright": payload["frame_index"]}


def create_plugin(_: WorkerSettings) -> FunctionPlugin:
    return FunctionPlugin({"count": count, "misbehave": misbehave})
