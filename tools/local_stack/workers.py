"""Start real worker processes, keep them running, and stop them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[2]
_READY_TIMEOUT_S = 120
_SETTINGS_EXIT_CODE = 2
_LONGEST_PAUSE_S = 10.0


class WorkerStartError(Exception):
    """The worker process ended before it was ready."""


def _nothing() -> None:
    """A killed process leaves nothing."""


@dataclass(frozen=True, slots=True)
class Launch:
    """A worker's command, its whole environment, and what removes what is left of it after it was killed."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    remove: Callable[[], None] = _nothing


Launcher = Callable[[Mapping[str, str], Path], Launch]
"""Makes the launch of a worker with these settings, whose temporary files go into this folder."""


def from_source(settings: Mapping[str, str], folder: Path) -> Launch:
    """The code of this checkout in a process of this Python."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    paths = [ROOT / "layers/common/python", ROOT / "gpu_worker_image/src"]
    environment = {
        **inherited,
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
        "TMPDIR": str(folder),
        **settings,
    }
    return Launch((sys.executable, "-m", "video_worker.runner"), environment)


class SupervisedWorker(AbstractContextManager["SupervisedWorker"]):
    """A worker that is started again when it dies, as ECS keeps a service at its count.

    If wrong settings end it before it was ever ready, it is not started again: it would end again.

    Parameters
    ----------
    log
        Where its log lines go.
    stop_timeout_s
        How long it may take to stop before it is killed.

    Attributes
    ----------
    restarts
        How often it was started again.
    """

    def __init__(self, launch: Launch, log: IO[bytes], stop_timeout_s: float) -> None:
        self._launch = launch
        self._log, self._stop_timeout_s = log, stop_timeout_s
        self._lock = threading.Lock()
        self._stopping, self._ready, self._ended = (threading.Event() for _ in range(3))
        self._last_line = b""
        self._thread = threading.Thread(target=self._keep_running, name="supervisor", daemon=True)
        self.restarts = 0

    def __enter__(self) -> SupervisedWorker:
        self._start()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._stopping.set()
            self._process.terminate()
        try:
            self._process.wait(self._stop_timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._launch.remove()
        self._thread.join()

    @property
    def pid(self) -> int:
        """The process id of the worker that runs now."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """With which code it ended, or None while it runs."""
        return self._process.poll()

    def is_alive(self) -> bool:
        """Whether it runs at this moment."""
        return self.exit_code is None

    def wait_until_ready(self) -> None:
        """Wait for the models to be loaded.

        Raises
        ------
        WorkerStartError
            With the worker's last log line, if it ended instead.
        """
        for _ in range(_READY_TIMEOUT_S * 10):
            if self._ready.wait(0.1):
                return
            if self._ended.is_set():
                break
        raise WorkerStartError(self._last_line.decode("utf-8", "replace").strip())

    def _start(self) -> None:
        self._ready.clear()
        self._ended.clear()
        self._process = subprocess.Popen(
            self._launch.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self._launch.environment,
            cwd=ROOT,
            start_new_session=True,
        )

    def _keep_running(self) -> None:
        pause_s = 0.0
        while True:
            exit_code = self._follow()
            if not self._ready.is_set() and exit_code == _SETTINGS_EXIT_CODE:
                return
            pause_s = 0.0 if self._ready.is_set() else min(_LONGEST_PAUSE_S, 2 * pause_s + 0.5)
            self._stopping.wait(pause_s)
            with self._lock:
                if self._stopping.is_set():
                    return
                self._write(f"worker ended with exit code {exit_code}; another is started\n".encode())
                self._start()
                self.restarts += 1

    def _follow(self) -> int:
        """Copy what the worker writes into the log until it ends; its exit code."""
        with self._process as process:
            for line in process.stdout or ():
                self._last_line = line
                self._write(line)
                if b'"worker_ready"' in line:
                    self._ready.set()
        self._ended.set()
        return process.returncode

    def _write(self, line: bytes) -> None:
        self._log.write(line)
        self._log.flush()
