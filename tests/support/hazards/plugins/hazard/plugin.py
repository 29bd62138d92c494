"""Tools that take the analysing process down at frame 5, each in its own way."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from video_jobs.settings import WorkerSettings
from video_worker.dag_runner import Payload

from tests.support.function_plugin import FunctionPlugin

FRAME = 5
_hoard: list[Any] = []


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


ACTIONS: dict[str, Callable[[], object]] = {
    "crash": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    "be_killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "hang": threading.Event().wait,
    **{action.__name__: action for action in (swell, burn, lack_memory, fail)},
}


def run(action: Callable[[], object], payload: Payload) -> dict[str, Any]:
    if payload["frame_index"] == FRAME:
        action()
    return {"index": payload["frame_index"], "pid": os.getpid()}


def create_plugin(_: WorkerSettings) -> FunctionPlugin:
    return FunctionPlugin({name: partial(run, action) for name, action in ACTIONS.items()})
