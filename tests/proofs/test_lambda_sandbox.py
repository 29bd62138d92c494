"""What the proofs of the built functions rest on: Lambda's files and limits, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.proofs import lambda_runtime
from tests.proofs.lambda_runtime import ROOT, Function, LambdaRuntime, RuntimeFiles
from tests.support.commands import processes_with

LARGEST_ANSWER = 6_291_556 - len('""')
IMPORT_S = 0.2
END_TIMEOUT_S = 10
OF_LAMBDA = ["probe", "shared", "awslambdaric", "json"]
OF_THE_TESTS = ("tests", "tools", "functions", "video_jobs", "pytest", "moto", "samcli", "boto3", "pip")
PROBE = f"""
import importlib.util, os, sys, time
time.sleep({IMPORT_S})


def lambda_handler(event, context):
    return globals()[event["do"]](event)


def tell(event):
    import shared
    return dict(
        path=sys.path,
        shared=shared.LAYER,
        importable=[name for name in event["names"] if importlib.util.find_spec(name)],
    )


def write(event):
    try:
        open(os.path.join(event["folder"], event["name"]), "w").close()
    except OSError as error:
        return error.strerror
    return "written"


def say(event):
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


def probe_in(folder: Path) -> LambdaRuntime:
    """A handler that does as it is told, over two layers with one module in common; ``folder`` marks it."""
    for name in ("lower", "upper"):
        (folder / name / "python").mkdir(parents=True)
        (folder / name / "python" / "shared.py").write_text(f"LAYER = {name!r}\n", encoding="utf-8")
    (folder / "task").mkdir()
    (folder / "task" / "probe.py").write_text(PROBE, encoding="utf-8")
    environment = {"MARK": str(folder)}
    function = Function(
        name="Probe", handler="probe.lambda_handler", task=folder / "task", environment=environment
    )
    files = RuntimeFiles(folder / "files", [folder / "lower", folder / "upper"])
    return LambdaRuntime(function, files, folder / "lambda")


@pytest.mark.parametrize("namespaces", [True, False], ids=["mount namespace", "search path"])
def test_a_handler_finds_lambdas_files_and_nothing_of_the_tests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, namespaces: bool
) -> None:
    if not namespaces:
        monkeypatch.setattr(lambda_runtime, "can_make_namespaces", lambda: False)
    elif not lambda_runtime.can_make_namespaces():
        pytest.skip("this machine lets nobody make namespaces")
    with probe_in(tmp_path) as probe:
        told = probe.invoke({"do": "tell", "names": [*OF_THE_TESTS, *OF_LAMBDA]}).json()
        path = told.pop("path")
        assert path[:4] == probe.layout.search_path
        assert all("/lib/python3" in folder for folder in path[4:])
        assert told == {"shared": "upper", "importable": OF_LAMBDA}
        assert probe.init_s >= IMPORT_S
        assert probe.start_lines == []
    assert processes_with(str(tmp_path)) == []


def test_an_answer_may_have_six_megabytes_and_not_a_byte_more(tmp_path: Path) -> None:
    with probe_in(tmp_path) as probe:
        assert len(probe.invoke({"do": "say", "length": LARGEST_ANSWER}).json()) == LARGEST_ANSWER
        refused = probe.invoke({"do": "say", "length": LARGEST_ANSWER + 1})
        assert (refused.status_code, refused.json()["errorType"]) == (502, "Function.ResponseSizeTooLarge")


@pytest.mark.skipif(not lambda_runtime.can_make_namespaces(), reason="this machine forbids namespaces")
def test_a_function_can_write_only_into_its_own_tmp(tmp_path: Path) -> None:
    event = {"do": "write", "name": f"{tmp_path.parent.name}-{tmp_path.name}"}
    folders = ("/var/task", "/opt/python", "/var/runtime", "/var", str(ROOT), "/tmp")
    with probe_in(tmp_path) as probe:
        *refused, written = (probe.invoke(event | {"folder": folder}).json() for folder in folders)
    assert set(refused) <= {"Read-only file system", "No such file or directory"}
    assert written == "written"
    assert not Path("/tmp", event["name"]).exists()


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
