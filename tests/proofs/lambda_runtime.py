"""A built function in Lambda's own runtime, without Docker: the SAM CLI's emulator around `awslambdaric`."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import psutil
import requests
from requests.adapters import HTTPAdapter, Retry

from tests.proofs.lambda_sandbox import PYTHON, Layout, install_runtime_client, sandbox_for

HOST = "127.0.0.1"
ANSWER_TIMEOUT_S = 60
_UNTIL_IT_LISTENS = Retry(total=None, connect=100, read=0, backoff_factor=0.005, backoff_max=0.1)
_PLATFORM_LINE = re.compile(r"(START|END|REPORT) RequestId: |\d\d \w{3} \d{4} [\d:,]+ \[\w+\] \(rapid\) ")
_REQUEST = re.compile(r"^START RequestId: (\S+)", re.MULTILINE)
_INIT_REPORT = re.compile(r"INIT REPORT\(durationMs: ([\d.]+)")


@dataclass(frozen=True, kw_only=True)
class Function:
    """A function as it is deployed; ``task`` is the folder of its artifact."""

    name: str
    handler: str
    task: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout_s: int = 30
    memory_mib: int = 512


@dataclass(frozen=True)
class Answer:
    """What the emulator answered."""

    status: int
    text: str

    @property
    def payload(self) -> Any:
        """What the handler returned, or the runtime's error object."""
        return json.loads(self.text)


class RuntimeFiles:
    """The layers, a later one over an earlier one, and the runtime's client, for any number of functions."""

    def __init__(self, folder: Path, layers: Sequence[Path]) -> None:
        self.layers, self.runtime = folder / "opt", folder / "runtime"
        for layer in layers:
            shutil.copytree(layer, self.layers, dirs_exist_ok=True)
        install_runtime_client(self.runtime)


class LambdaRuntime(AbstractContextManager["LambdaRuntime"]):
    """One execution environment of a function: started on entering, gone on leaving.

    Attributes
    ----------
    first_request_s
        How long the first event took over HTTP, the start of the function included; 0.0 before it.
    """

    def __init__(self, function: Function, files: RuntimeFiles, folder: Path) -> None:
        self._function = function
        layout = Layout(task=function.task, layers=files.layers, runtime=files.runtime)
        self._temporary, self._log_file = folder / "temporary", folder / "log"
        self.sandbox = sandbox_for(layout, self._temporary)
        self.first_request_s = 0.0
        self._exit = ExitStack()

    def __enter__(self) -> Self:
        self._temporary.mkdir(parents=True, exist_ok=True)
        event_port, api_port = _free_ports(2)
        self._url = f"http://{HOST}:{event_port}/2015-03-31/functions/function/invocations"
        self._http = self._exit.enter_context(requests.Session())
        self._http.mount(self._url, HTTPAdapter(max_retries=_UNTIL_IT_LISTENS))
        self._pid = self._exit.enter_context(self._running(self._command(event_port, api_port))).pid
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    def invoke(self, event: Any) -> Answer:
        """One event; the emulator starts the function at the first one, which waits for that."""
        started = time.perf_counter()
        answer = self._http.post(self._url, data=json.dumps(event).encode(), timeout=ANSWER_TIMEOUT_S)
        self.first_request_s = self.first_request_s or time.perf_counter() - started
        return Answer(answer.status_code, answer.content.decode())

    @property
    def log(self) -> str:
        """All that the emulator and the function wrote."""
        return self._log_file.read_text(encoding="utf-8")

    @property
    def request_ids(self) -> list[str]:
        """The request of each event so far."""
        return _REQUEST.findall(self.log)

    @property
    def function_lines(self) -> list[str]:
        """What the function wrote."""
        return _function_lines(self.log)

    @property
    def start_lines(self) -> list[str]:
        """What the function wrote before it was ready for its first event."""
        return _function_lines(self.log.partition("INIT RTDONE")[0].rpartition("\n")[0])

    @property
    def init_s(self) -> float:
        """From the start of Python to its question for the first event, as the emulator saw it.

        That is the INIT REPORT of its log. The ``Init Duration`` of the first REPORT line is some hundredths
        of a millisecond: the emulator has nothing to do before the first event.
        """
        found = _INIT_REPORT.search(self.log)
        assert found is not None, self.log
        return float(found[1]) / 1000

    @property
    def cpu_s(self) -> float:
        """CPU time of the function's process so far, which a busy machine lengthens least."""
        *_, innermost = psutil.Process(self._pid).children(recursive=True)
        times = innermost.cpu_times()
        return float(times.user + times.system)

    def _command(self, event_port: int, api_port: int) -> list[str]:
        layout = self.sandbox.layout
        return [
            *(*self.sandbox.prefix, str(layout.emulator)),
            *("--runtime-interface-emulator-address", f"{HOST}:{event_port}"),
            *("--runtime-api-address", f"{HOST}:{api_port}"),
            *(str(layout.python / "bin" / PYTHON), "-S", "-P", "-m", "awslambdaric", self._function.handler),
        ]

    def _environment(self) -> dict[str, str]:
        """The variables that Lambda sets, and the function's own; nothing of this process."""
        function, layout = self._function, self.sandbox.layout
        return {
            "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin:/bin:/opt/bin",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "PYTHONPATH": ":".join(layout.search_path),
            "LAMBDA_TASK_ROOT": str(layout.task),
            "LAMBDA_RUNTIME_DIR": str(layout.runtime),
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{PYTHON}",
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(function.timeout_s),
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mib),
            **self.sandbox.environment,
            **function.environment,
        }

    @contextmanager
    def _running(self, command: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
        """The command, and at the end neither it nor anything that it started."""
        task, environment = self._function.task, self._environment()
        with self._log_file.open("wb") as log:
            process = subprocess.Popen(
                command, cwd=task, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
            try:
                yield process
            finally:
                with suppress(psutil.NoSuchProcess):
                    # The innermost first, so that each is waited for by the process that started it.
                    for started in reversed(psutil.Process(process.pid).children(recursive=True)):
                        started.kill()
                process.kill()
                process.wait()


def _free_ports(count: int) -> list[int]:
    """Different ports that nobody listens on."""
    with ExitStack() as held:
        sockets = [held.enter_context(closing(socket.create_server((HOST, 0)))) for _ in range(count)]
        return [one.getsockname()[1] for one in sockets]


def _function_lines(log: str) -> list[str]:
    return [line for line in log.split("\n") if line and not _PLATFORM_LINE.match(line)]
