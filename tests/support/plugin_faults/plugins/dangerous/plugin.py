"""Some tools take their process down, or never answer."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import Any

from video_jobs.settings import WorkerSettings
from video_worker.dag_runner import Payload

from tests.support.function_plugin import FunctionPlugin


def after(action: Callable[[], object]) -> Callable[[Payload], Any]:
    return lambda _: action() or {"bright": 1}


def create_plugin(_: WorkerSettings) -> FunctionPlugin:
    actions: dict[str, Callable[[], object]] = {
        "good": lambda: None,
        "crash": lambda: os.kill(os.getpid(), signal.SIGSEGV),
        "hang": threading.Event().wait,
        "end": lambda: os._exit(3),
        "last": lambda: None,
    }
    return FunctionPlugin({name: after(action) for name, action in actions.items()})
