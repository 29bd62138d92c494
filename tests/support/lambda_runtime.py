"""A built function in Lambda's own runtime, without Docker: the SAM CLI's emulator around `awslambdaric`."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Self

import psutil
import requests

from tests.support.lambda_sandbox import (
    PYTHON,
    Layout,
    Sandbox,
    install_runtime_client,
    merge_layers,
    sandbox_for,
)

HOST = "127.0.0.1"
START_TIMEOUT_S = 30
END_TIMEOUT_S = 10
ANSWER_TIMEOUT_S = 60
_PLATFORM_LINE = re.compile(r"(START|END|REPORT) RequestId: |\d\d \w{3} \d{4} [\d:,]+ \[\w+\] \(rapid\) ")
_REQUEST = re.compile(r"^START RequestId: (\S+)", re.MULTILINE)
_INIT_REPORT = re.compile(r"INIT REPORT\(durationMs: ([\d.]+)")


class RuntimeStartError(Exception):
    """The emulator ended at once, or did not listen in time."""


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
    """The layers and the runtime's client, put together once for any number of functions."""

    def __init__(self, folder: Path, layers: Sequence[Path]) -> None:
        self.folder, self.layers, self.runtime = folder, folder / "opt", folder / "runtime"
        merge_layers(self.layers, layers)
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
        parts = Layout(task=function.task, layers=files.layers, runtime=files.runtime)
        self._temporary, self._log_file = folder / "temporary", folder / "log"
        self.sandbox = sandbox_for(parts, self._temporary)
        self.first_request_s = 0.0
        self._url, self._pid = "", 0
        self._exit = ExitStack()

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._exit.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    def invoke(self, event: Any) -> Answer:
        """One event; the emulator starts the function at the first one, which waits for that."""
        body = json.dumps(event).encode()
        started = time.perf_counter()
        answer = requests.post(self._url, data=body, timeout=ANSWER_TIMEOUT_S)
        seconds = time.perf_counter() - started
        self.first_request_s = self.first_request_s or seconds
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

    def _start(self) -> None:
        self._temporary.mkdir(parents=True, exist_ok=True)
        event_port, api_port = free_ports(2)
        self._url = f"http://{HOST}:{event_port}/2015-03-31/functions/function/invocations"
        layout = self.sandbox.layout
        command = [
            *(*self.sandbox.prefix, str(layout.emulator)),
            *("--runtime-interface-emulator-address", f"{HOST}:{event_port}"),
            *("--runtime-api-address", f"{HOST}:{api_port}"),
            *(str(layout.python / "bin" / PYTHON), "-S", "-P", "-m", "awslambdaric", self._function.handler),
        ]
        log = self._exit.enter_context(self._log_file.open("wb"))
        environment = environment_of(self._function, self.sandbox)
        process = self._exit.enter_context(_running(command, self._function.task, environment, log))
        self._wait_until_listening(process, event_port)
        self._pid = process.pid

    def _wait_until_listening(self, process: subprocess.Popen[bytes], port: int) -> None:
        ends_at = time.monotonic() + START_TIMEOUT_S
        while process.poll() is None and time.monotonic() < ends_at:
            with suppress(OSError), socket.create_connection((HOST, port), timeout=1):
                return
            time.sleep(0.005)
        raise RuntimeStartError(self.log)


def environment_of(function: Function, sandbox: Sandbox) -> dict[str, str]:
    """The variables that Lambda sets, and the function's own; nothing of this process."""
    layout = sandbox.layout
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
        **sandbox.environment,
        **function.environment,
    }


def free_ports(count: int) -> list[int]:
    """Different ports that nobody listens on."""
    with ExitStack() as held:
        sockets = [held.enter_context(closing(socket.create_server((HOST, 0)))) for _ in range(count)]
        return [one.getsockname()[1] for one in sockets]


@contextmanager
def _running(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], log: IO[bytes]
) -> Iterator[subprocess.Popen[bytes]]:
    """The command, and at the end neither it nor anything that it started."""
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
    )
    try:
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """The innermost first, so that each is waited for by what started it."""
    with suppress(psutil.NoSuchProcess):
        for started in reversed(psutil.Process(process.pid).children(recursive=True)):
            started.kill()
    process.terminate()
    try:
        process.wait(timeout=END_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _function_lines(log: str) -> list[str]:
    return [line for line in log.split("\n") if line and not _PLATFORM_LINE.match(line)]
