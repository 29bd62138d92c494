"""The stop signal, whatever the main thread does at the moment it comes."""

from __future__ import annotations

import subprocess
import sys

import pytest

SIGNAL_WHILE_THE_MAIN_THREAD_HOLDS_THE_LOCK = """
import signal
from video_worker.stop_signal import StopSignal

stop = StopSignal(grace_s=0)
stop.listen()
with stop.requested._cond:
    signal.raise_signal(signal.{name})
assert stop.requested.wait(10)
"""

SIGNAL_WHILE_A_THREAD_STARTS = """
import signal, threading
from video_worker.stop_signal import StopSignal

stop = StopSignal(grace_s=0)
stop.listen()
with threading._active_limbo_lock:
    signal.raise_signal(signal.{name})
assert stop.requested.wait(10)
"""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
@pytest.mark.parametrize(
    "program", [SIGNAL_WHILE_THE_MAIN_THREAD_HOLDS_THE_LOCK, SIGNAL_WHILE_A_THREAD_STARTS]
)
def test_a_signal_never_waits_for_what_it_interrupts(program: str, name: str) -> None:
    subprocess.run([sys.executable, "-c", program.format(name=name)], timeout=30, check=True)
