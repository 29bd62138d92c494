"""A built function in Lambda's own runtime, without Docker: the SAM CLI's emulator around `awslambdaric`.

In a mount namespace the function finds itself at /var/task and its layers at /opt, both read-only, the
runtime's client at /var/runtime, Python at /var/lang, an empty /tmp, no name server, and no trace of this
repository. On a machine that forbids namespaces, the search path names the same folders in the same order.
"""

from __future__ import annotations

import json
import platform
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import distribution
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, Self

import psutil
import requests
from requests.adapters import HTTPAdapter, Retry

ROOT = Path(__file__).parents[2]
PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
HOST = "127.0.0.1"
_ANSWER_TIMEOUT_S, _END_TIMEOUT_S = 60, 10
_UNTIL_IT_LISTENS = Retry(total=None, connect=100, read=0, backoff_factor=0.005, backoff_max=0.1)
_PLATFORM_LINE = re.compile(r"(START|END|REPORT) RequestId: |\d\d \w{3} \d{4} [\d:,]+ \[\w+\] \(rapid\) ")
_REQUEST = re.compile(r"^START RequestId: (\S+)", re.MULTILINE)
_INIT_REPORT = re.compile(r"INIT REPORT\(durationMs: ([\d.]+)")
_CLIENT = ("awslambdaric", "simplejson", "snapshot_restore_py")
_PROCESSOR = "arm64" if platform.machine().lower() in ("aarch64", "arm64") else "x86_64"
_EMULATOR = f"samcli/local/rapid/aws-lambda-rie-{_PROCESSOR}"
_DIES_WITH_US = ("setpriv", "--pdeathsig", "KILL")
_NAMESPACE = ("unshare", "--map-root-user", "--mount", "--pid", "--fork", "--kill-child")

# All folders are gathered in one place before any of them is covered: each may lie below /var, /opt or /tmp.
# A mount must keep the limits of where its files lie; a /tmp that is mounted nosuid,nodev is the usual one.
_MOUNT = """
set -eu
stage=$1 repository=$2 task=$3 layers=$4 runtime=$5 python=$6 emulator=$7
shift 7
place() { mount -o bind,ro,nosuid,nodev "$1" "$stage/$2"; }
mount -t tmpfs tmpfs "$stage"
mkdir -p "$stage/opt" "$stage/var/task" "$stage/var/runtime" "$stage/var/lang"
: > "$stage/var/emulator"
place "$task" var/task; place "$layers" opt; place "$runtime" var/runtime
place "$python" var/lang; place "$emulator" var/emulator
mount -t tmpfs -o remount,ro tmpfs "$stage"
mount -t tmpfs -o ro tmpfs "$repository"
mount --rbind "$stage/opt" /opt
mount --rbind "$stage/var" /var
mount -t tmpfs tmpfs /tmp
if [ -e /etc/resolv.conf ]; then mount --bind /dev/null /etc/resolv.conf; fi
export LD_LIBRARY_PATH=/var/lang/lib
cd /var/task
exec "$@"
"""


class Layout(NamedTuple):
    """Where the files of an execution environment lie."""

    task: Path
    layers: Path
    runtime: Path
    python: Path = Path(sys.base_prefix)
    emulator: Path = Path(str(distribution("aws-sam-cli").locate_file(_EMULATOR)))

    @property
    def search_path(self) -> list[str]:
        """Where Lambda's Python looks: the function, its layers, the runtime's client."""
        packages = self.layers / "python"
        of_layers = [packages / "lib" / PYTHON / "site-packages", packages]
        return [str(path) for path in (self.task, *of_layers, self.runtime)]

    def in_a_namespace(self, stage: Path) -> list[str]:
        """What stands before a command that is to see these files where Lambda has them."""
        return [*_DIES_WITH_US, *_NAMESPACE, "sh", "-c", _MOUNT, "sandbox", *map(str, (stage, ROOT, *self))]


IN_LAMBDA = Layout(*map(Path, ("/var/task", "/opt", "/var/runtime", "/var/lang", "/var/emulator")))


@lru_cache(maxsize=1)
def can_make_namespaces() -> bool:
    """Whether all the mounts succeed here, and Python runs behind them."""
    if not all(shutil.which(tool) for tool in (_DIES_WITH_US[0], _NAMESPACE[0])):
        return False
    with TemporaryDirectory(prefix="stage-") as stage, TemporaryDirectory(prefix="empty-") as empty:
        prefix = Layout(*[Path(empty)] * 3).in_a_namespace(Path(stage))
        command = [*prefix, str(IN_LAMBDA.python / "bin" / PYTHON), "-S", "-c", ""]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


@dataclass(frozen=True, kw_only=True)
class Function:
    """A function as it is deployed; ``task`` is the folder of its artifact."""

    name: str
    handler: str
    task: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout_s: int = 30


class RuntimeFiles:
    """The layers, a later one over an earlier one, and the runtime's client, for any number of functions."""

    def __init__(self, folder: Path, layers: Sequence[Path]) -> None:
        self.layers, self.runtime = folder / "opt", folder / "runtime"
        for layer in layers:
            shutil.copytree(layer, self.layers, dirs_exist_ok=True)
        for file in (file for name in _CLIENT for file in distribution(name).files or ()):
            if ".." not in file.parts and not file.parts[0].endswith(".dist-info"):
                (self.runtime / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(str(file.locate()), self.runtime / file)


class LambdaRuntime(AbstractContextManager["LambdaRuntime"]):
    """One execution environment of a function: started on entering, gone on leaving."""

    def __init__(self, function: Function, files: RuntimeFiles, folder: Path) -> None:
        self._function = function
        self._temporary, self._log_file = folder / "temporary", folder / "log"
        self.layout = Layout(function.task, files.layers, files.runtime)
        self._prefix = list(_DIES_WITH_US) if shutil.which(_DIES_WITH_US[0]) else []
        self._own = {"TMPDIR": str(self._temporary), "PYTHONDONTWRITEBYTECODE": "1"}
        if can_make_namespaces():
            self._prefix, self._own = self.layout.in_a_namespace(self._temporary), {}
            self.layout = IN_LAMBDA
        self._exit = ExitStack()

    def __enter__(self) -> Self:
        self._temporary.mkdir(parents=True, exist_ok=True)
        event_port, api_port = _free_ports(2)
        self._url = f"http://{HOST}:{event_port}/2015-03-31/functions/function/invocations"
        self._http = self._exit.enter_context(requests.Session())
        self._http.mount(self._url, HTTPAdapter(max_retries=_UNTIL_IT_LISTENS))
        self._pid = self._exit.enter_context(self._running(event_port, api_port)).pid
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    def invoke(self, event: Any) -> requests.Response:
        """One event, and what the handler returned, or the runtime's error object.

        The emulator starts the function at the first event, which waits for that.
        """
        return self._http.post(self._url, data=json.dumps(event).encode(), timeout=_ANSWER_TIMEOUT_S)

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
        return [
            *(*self._prefix, str(self.layout.emulator)),
            *("--runtime-interface-emulator-address", f"{HOST}:{event_port}"),
            *("--runtime-api-address", f"{HOST}:{api_port}"),
            *(str(self.layout.python / "bin" / PYTHON), "-S", "-P", "-m", "awslambdaric"),
            self._function.handler,
        ]

    def _environment(self) -> dict[str, str]:
        """The variables that Lambda sets, and the function's own; nothing of this process."""
        function, layout = self._function, self.layout
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
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            **self._own,
            **function.environment,
        }

    @contextmanager
    def _running(self, *ports: int) -> Iterator[subprocess.Popen[bytes]]:
        """The emulator, and at the end neither it nor anything that it started."""
        command, environment, task = self._command(*ports), self._environment(), self._function.task
        with self._log_file.open("wb") as log:
            process = subprocess.Popen(
                command, cwd=task, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
            try:
                yield process
            finally:
                with suppress(psutil.NoSuchProcess):
                    started = psutil.Process(process.pid).children(recursive=True)
                    # The innermost first, so that each is waited for by the process that started it.
                    for child in reversed(started):
                        child.kill()
                    psutil.wait_procs(started, timeout=_END_TIMEOUT_S)
                process.kill()
                process.wait()


def _free_ports(count: int) -> list[int]:
    """Different ports that nobody listens on."""
    with ExitStack() as held:
        sockets = [held.enter_context(closing(socket.create_server((HOST, 0)))) for _ in range(count)]
        return [one.getsockname()[1] for one in sockets]


def _function_lines(log: str) -> list[str]:
    return [line for line in log.split("\n") if line and not _PLATFORM_LINE.match(line)]
