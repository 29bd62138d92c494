"""Start real worker processes, keep them running, and stop them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[2]
_READY_TIMEOUT_S = 120
_SETTINGS_EXIT_CODE = 2
_LONGEST_PAUSE_S = 10.0


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

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid if self._process else 0

    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def was_ready(self) -> bool:
        """Whether it ever took jobs."""
        return self._ready.is_set()

    def wait(self) -> int:
        """Wait for its end, and give its exit code."""
        return self._process.wait() if self._process else 0

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


class SupervisedWorker(AbstractContextManager["SupervisedWorker"]):
    """A worker that is started anew when it dies, as ECS keeps a service at its count.

    One that ends over wrong settings before it was ever ready is not: it would end again.
    """

    def __init__(self, environment: Mapping[str, str], log: IO[bytes], stop_timeout_s: float) -> None:
        self._environment, self._log, self._stop_timeout_s = environment, log, stop_timeout_s
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._current = self._new_process()
        self._thread = threading.Thread(target=self._keep_running, name="supervisor", daemon=True)
        self.restarts = 0

    def __enter__(self) -> SupervisedWorker:
        self._current.__enter__()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._stopping.set()
            self._current.stop()
        self._thread.join()

    @property
    def pid(self) -> int:
        """The process id of the worker that runs now."""
        return self._current.pid

    def is_alive(self) -> bool:
        """Whether it runs at this moment."""
        return self._current.is_alive()

    def wait_until_ready(self) -> None:
        """Wait for the models to be loaded.

        Raises
        ------
        WorkerStartError
            With the worker's last words, where it ended instead.
        """
        self._current.wait_until_ready()

    def _new_process(self) -> WorkerProcess:
        return WorkerProcess(self._environment, self._log, self._stop_timeout_s)

    def _keep_running(self) -> None:
        pause_s = 0.0
        while True:
            process = self._current
            exit_code = process.wait()
            if not process.was_ready and exit_code == _SETTINGS_EXIT_CODE:
                return
            pause_s = 0.0 if process.was_ready else min(_LONGEST_PAUSE_S, 2 * pause_s + 0.5)
            if self._stopping.wait(pause_s) or not self._replace(exit_code):
                return

    def _replace(self, exit_code: int) -> bool:
        """Start another; not while the stack is being stopped."""
        with self._lock:
            if self._stopping.is_set():
                return False
            self._current.stop()
            self._log.write(f"worker ended with exit code {exit_code}; another is started\n".encode())
            self._log.flush()
            self._current = self._new_process()
            self._current.__enter__()
            self.restarts += 1
            return True
