"""Run the functions as Lambda does: each in a process of its own, with only its own environment."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import IO, Any, cast

ROOT = Path(__file__).parents[2]
_START_TIMEOUT_S = 60


class FunctionError(Exception):
    """The function raised, ran out of time or died."""


class FunctionProcess(AbstractContextManager["FunctionProcess"]):
    """One function; an instance takes one event at a time, as an execution environment does."""

    def __init__(
        self, name: str, handler: str, environment: Mapping[str, str], timeout_s: int, log: IO[bytes]
    ) -> None:
        self._name, self._handler, self._timeout_s, self._log = name, handler, timeout_s, log
        self._environment = {
            "PATH": os.environ.get("PATH", ""),
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "layers/common/python")]),
            "AWS_LAMBDA_FUNCTION_NAME": name,
            **environment,
        }
        self._lock = threading.Lock()

    def __enter__(self) -> FunctionProcess:
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self._kill()

    def invoke(self, event: Mapping[str, Any]) -> Any:
        """The handler's answer.

        Raises
        ------
        FunctionError
            If it raised, ran out of time or died; the next event finds it started anew.
        """
        with self._lock:
            if self._process.poll() is not None:
                self._kill()
                self._start()
            with suppress(BrokenPipeError):  # it has just died, which reading its answer tells
                self._input.write(json.dumps(event).encode() + b"\n")
                self._input.flush()
            answer = json.loads(self._read_line(self._timeout_s))
        if "error" in answer:
            raise FunctionError(f"{self._name}: {answer['error']}")
        return answer["result"]

    def _start(self) -> None:
        module = ("-m", "tools.local_stack.function_host")
        self._process = subprocess.Popen(
            [sys.executable, *module, self._handler, self._name, str(self._timeout_s)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=self._environment,
            cwd=ROOT,
            start_new_session=True,
        )
        self._input = cast(IO[bytes], self._process.stdin)
        self._output = cast(IO[bytes], self._process.stdout)
        self._read_line(_START_TIMEOUT_S)

    def _read_line(self, timeout_s: float) -> bytes:
        readable, _, _ = select.select([self._output], [], [], timeout_s)
        line = self._output.readline() if readable else b""
        if not line:
            self._kill()
            raise FunctionError(f"{self._name} ran out of time or died; see the log")
        return line

    def _kill(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._input, self._output):
            with suppress(BrokenPipeError):
                pipe.close()
