"""Tools that, but for two, break their word, each in its own way."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from video_jobs.settings import WorkerSettings
from video_worker.dag_runner import Payload

from tests.support.function_plugin import FunctionPlugin


def fail(_: Payload) -> Any:
    raise LookupError("nothing there")


def create_plugin(_: WorkerSettings) -> FunctionPlugin:
    return FunctionPlugin(
        {
            "good": lambda payload: {"bright": int(payload["image"].max())},
            "uses_good": lambda payload: {"doubled": 2 * payload["bright"]},
            "unmet": lambda _: {"bright": 1},
            "undeclared": lambda payload: {"doubled": 2 * payload["bright"]},
            "lacking": lambda _: {"bright": 1},
            "adding": lambda _: {"bright": 1, "pid": 2},
            "no_dict": lambda _: ["bright"],
            "nan": lambda _: {"bright": float("nan")},
            "numpy": lambda _: {"bright": np.int64(1)},
            "boxes": lambda _: {"detections": [{"box": [1, 2, 3, 4]}]},
            "failing": fail,
            "leaving": lambda _: sys.exit(0),
        }
    )
