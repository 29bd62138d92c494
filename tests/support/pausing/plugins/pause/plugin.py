"""Waits at each frame, and needs hardly any processor: how long a job takes does not depend on other load."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from video_jobs.settings import WorkerSettings
from video_worker.dag_runner import Payload

from tests.support.function_plugin import FunctionPlugin

PAUSE_S = 0.02


def pause(payload: Payload) -> dict[str, Any]:
    time.sleep(PAUSE_S)
    return {"bright": int(np.count_nonzero(payload["image"] > 200))}


def create_plugin(_: WorkerSettings) -> FunctionPlugin:
    return FunctionPlugin({"pause": pause})
