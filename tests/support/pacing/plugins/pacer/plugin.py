"""Takes 20 milliseconds for each frame, one after the other."""

from __future__ import annotations

import time
from threading import Lock
from typing import Any

from video_jobs.settings import WorkerSettings
from video_worker.dag_runner import Payload

from tests.support.function_plugin import FunctionPlugin

FRAME_S = 0.02
_turn = Lock()


def pace(payload: Payload) -> dict[str, Any]:
    with _turn:
        time.sleep(FRAME_S)
    return {"paced": payload["frame_index"]}


def create_plugin(_: WorkerSettings) -> FunctionPlugin:
    return FunctionPlugin({"pace": pace})
