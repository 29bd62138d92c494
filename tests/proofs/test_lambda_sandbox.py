"""What Lambda's runtime does to any handler, and that nothing of it stays on the machine."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.proofs import lambda_sandbox
from tests.proofs.lambda_runtime import Function, LambdaRuntime, RuntimeFiles
from tests.proofs.lambda_sandbox import ROOT
from tests.support.commands import processes_with

LARGEST_ANSWER = 6_291_556 - len('""')
IMPORT_S = 0.2
END_TIMEOUT_S = 10
OF_LAMBDA = ["probe", "shared", "awslambdaric", "json"]
OF_THE_TESTS = ("tests", "tools", "functions", "video_jobs", "pytest", "moto", "samcli", "boto3", "pip")
SANDBOXES = ("mount namespace", "search path")
PROBE = f"""
import importlib.util, os, sys, time
time.sleep({IMPORT_S})


def lambda_handler(event, context):
    return globals()[event["do"]](event, context)


def tell(event, context):
    import shared
    return dict(
        type=type(context).__module__ + "." + type(context).__name__,
        request_id=context.aws_request_id,
        function_name=context.function_name,
        memory=context.memory_limit_in_mb,
        left_ms=context.get_remaining_time_in_millis(),
        path=sys.path,
        shared=shared.LAYER,
        importable=[name for name in event["names"] if importlib.util.find_spec(name)],
    )


def write(event, context):
    try:
        open(os.path.join(event["folder"], event["name"]), "w").close()
    except OSError as error:
        return error.strerror
    return "written"


def sleep(event, context):
    time.sleep(event["seconds"])


def say(event, context):
    return "x" * event["length"]
"""
STARTER = """
import sys
from pathlib import Path
from tests.proofs.test_lambda_sandbox import probe_in
with probe_in(Path(sys.argv[1])) as runtime:
    runtime.invoke({"do": "say", "length": 1})
    print("ready", flush=True)
    sys.stdin.read()
"""


def probe_in(folder: Path, **options: Any) -> LambdaRuntime:
    """A handler that does as it is told, over two layers with one module in common; ``folder`` marks it."""
    for name in ("lower", "upper"):
        (folder / name / "python").mkdir(parents=True)
        (folder / name / "python" / "shared.py").write_text(f"LAYER = {name!r}\n", encoding="utf-8")
    (folder / "task").mkdir()
    (folder / "task" / "probe.py").write_text(PROBE, encoding="utf-8")
    values: dict[str, Any] = {"handler": "probe.lambda_handler", "environment": {"MARK": str(folder)}}
    function = Function(name="Probe", task=folder / "task", **(values | options))
    files = RuntimeFiles(folder / "files", [folder / "lower", folder / "upper"])
    return LambdaRuntime(function, files, folder / "lambda")


def probe_by(sandbox: str, folder: Path) -> LambdaRuntime:
    """The same, kept from the machine in one certain way."""
    with pytest.MonkeyPatch.context() as patch:
        if sandbox == "search path":
            patch.setattr(lambda_sandbox, "can_make_namespaces", lambda: False)
        elif not lambda_sandbox.can_make_namespaces():
            pytest.skip("this machine lets nobody make namespaces")
        probe = probe_in(folder)
    assert probe.sandbox.name == sandbox
    return probe


@pytest.fixture(scope="module", params=SANDBOXES)
def probe(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LambdaRuntime]:
    with probe_by(request.param, tmp_path_factory.mktemp("probe")) as runtime:
        yield runtime


def test_a_handler_gets_lambdas_own_context_and_finds_nothing_of_the_tests(probe: LambdaRuntime) -> None:
    told = probe.invoke({"do": "tell", "names": [*OF_THE_TESTS, *OF_LAMBDA]}).payload
    path = told.pop("path")
    assert path[:4] == probe.sandbox.layout.search_path
    assert all("/lib/python3" in folder for folder in path[4:])
    assert 0 < told.pop("left_ms") <= 30_000
    assert told == {
        "type": "awslambdaric.lambda_context.LambdaContext",
        "request_id": probe.request_ids[-1],
        "function_name": "Probe",
        "memory": "512",
        "shared": "upper",
        "importable": OF_LAMBDA,
    }


def test_the_start_counts_what_imports_do(probe: LambdaRuntime) -> None:
    probe.invoke({"do": "say", "length": 1})
    assert probe.init_s >= IMPORT_S
    assert probe.first_request_s >= probe.init_s
    assert probe.start_lines == []


def test_an_answer_may_have_six_megabytes_and_not_a_byte_more(probe: LambdaRuntime) -> None:
    assert len(probe.invoke({"do": "say", "length": LARGEST_ANSWER}).payload) == LARGEST_ANSWER
    refused = probe.invoke({"do": "say", "length": LARGEST_ANSWER + 1})
    assert (refused.status, refused.payload["errorType"]) == (502, "Function.ResponseSizeTooLarge")
    assert probe.invoke({"do": "say", "length": 1}).payload == "x"


def test_a_function_that_takes_too_long_is_stopped_and_started_anew(tmp_path: Path) -> None:
    with probe_in(tmp_path, timeout_s=1) as runtime:
        runtime.invoke({"do": "say", "length": 1})
        started = time.monotonic()
        answer = runtime.invoke({"do": "sleep", "seconds": 60})
        assert answer.text == "Task timed out after 1.00 seconds"
        assert time.monotonic() - started < 10
        assert runtime.invoke({"do": "say", "length": 1}).payload == "x"


def test_a_function_that_cannot_be_imported_says_so(tmp_path: Path) -> None:
    with probe_in(tmp_path, handler="gone.lambda_handler") as runtime:
        answer = runtime.invoke({})
        assert answer.payload["errorType"] == "Runtime.ImportModuleError"
        assert "No module named 'gone'" in "\n".join(runtime.start_lines)


def test_a_namespace_protects_the_machine(tmp_path: Path) -> None:
    with probe_by("mount namespace", tmp_path) as runtime:
        # WHEN a function writes wherever it can
        event = {"do": "write", "name": f"{tmp_path.parent.name}-{tmp_path.name}"}
        folders = ("/var/task", "/opt/python", "/var/runtime", "/var", str(ROOT), "/tmp")
        *refused, written = (runtime.invoke(event | {"folder": folder}).payload for folder in folders)
        # THEN only its own /tmp takes the file, and neither file nor mount is seen outside
        assert set(refused) <= {"Read-only file system", "No such file or directory"}
        assert written == "written"
        assert not Path("/tmp", event["name"]).exists()
        assert Path(ROOT, "template.yaml").is_file()
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8")
        assert not re.search(" (/var/task|/var/runtime|/opt/python) ", mounts)


def use_and_fail(sandbox: str, folder: Path) -> None:
    with probe_by(sandbox, folder) as runtime:
        runtime.invoke({"do": "say", "length": 1})
        assert len(processes_with(str(folder))) >= 2
        raise ZeroDivisionError


@pytest.mark.parametrize("sandbox", SANDBOXES)
def test_nothing_runs_on_after_a_failure(sandbox: str, tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        use_and_fail(sandbox, tmp_path)
    assert processes_with(str(tmp_path)) == []


def test_nothing_runs_on_where_the_tests_are_killed(tmp_path: Path) -> None:
    # GIVEN a process that holds an execution environment
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", STARTER, str(tmp_path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, cwd=ROOT
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"ready\n"
        assert len(processes_with(str(tmp_path))) >= 2
        # WHEN it dies without a chance to clean up
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    # THEN the environment dies with it
    ends_at = time.monotonic() + END_TIMEOUT_S
    while processes_with(str(tmp_path)) and time.monotonic() < ends_at:
        time.sleep(0.02)
    assert processes_with(str(tmp_path)) == []
