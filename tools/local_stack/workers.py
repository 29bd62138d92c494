"""Start real worker processes, and stop them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import IO

ROOT = Path(__file__).parents[2]
_READY_TIMEOUT_S = 120


class WorkerStartError(Exception):
    """The worker process ended before it was ready."""


class WorkerProcess(AbstractContextManager["WorkerProcess"]):
    """One worker; its log lines go to ``log``."""

    def __init__(self, environment: Mapping[str, str], log: IO[bytes], stop_timeout_s: float) -> None:
        inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        paths = [ROOT / "layers/common/python", ROOT / "gpu_worker_image/src"]
        python_path = os.pathsep.join(str(path) for path in paths)
        self._environment = {**inherited, "PYTHONPATH": python_path, **environment}
        self._log = log
        self._stop_timeout_s = stop_timeout_s
        self._ready = threading.Event()
        self._ended = threading.Event()
        self._last_line = b""
        self._process: subprocess.Popen[bytes] | None = None
        self._reader = threading.Thread(target=self._read_log, daemon=True)

    def __enter__(self) -> WorkerProcess:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "video_worker.runner"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self._environment,
            cwd=ROOT,
            start_new_session=True,
        )
        self._reader.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid if self._process else 0

    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def wait_until_ready(self) -> None:
        """Wait for the models to be loaded.

        Raises
        ------
        WorkerStartError
            With the worker's last words, where it ended instead.
        """
        for _ in range(_READY_TIMEOUT_S * 10):
            if self._ready.wait(0.1):
                return
            if self._ended.is_set():
                break
        raise WorkerStartError(self._last_line.decode("utf-8", "replace").strip())

    def stop(self) -> None:
        """Ask it to stop, and after a while make it."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(self._stop_timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None

    def _read_log(self) -> None:
        if self._process is None or self._process.stdout is None:
            return
        for line in self._process.stdout:
            self._last_line = line
            self._log.write(line)
            self._log.flush()
            if b'"worker_ready"' in line:
                self._ready.set()
        self._ended.set()
