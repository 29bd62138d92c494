"""The validator of plugins as its users run it: on the worker's plugins, on good ones and on faulty ones."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from video_worker import plugin_registry
from video_worker.pipeline_service import BUILT_IN_PIPELINES
from video_worker.plugin_registry import Manifest, load_manifests

from tools.governance.plugin_trial import Checked, PluginTrial, plugin_process
from tools.governance.validate_plugins import main, settings_for

SUPPORT = Path(__file__).parents[1] / "support"
PLUGINS, PIPELINES = SUPPORT / "plugins", SUPPORT / "pipelines"
FAULTS = SUPPORT / "plugin_faults" / "plugins"

Run = Callable[..., tuple[int, list[str]]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """The command: exit status and lines."""

    def run_command(plugins: Path = PLUGINS, pipelines: Path = PIPELINES) -> tuple[int, list[str]]:
        status = main(["--plugins", str(plugins), "--pipelines", str(pipelines)])
        return status, capsys.readouterr().out.splitlines()

    return run_command


def own_plugin(folder: Path, code: str) -> Path:
    """A folder with a good manifest and this code."""
    (folder / "mine").mkdir()
    shutil.copy(PLUGINS / "counter" / "manifest.json", folder / "mine")
    (folder / "mine" / "plugin.py").write_text(code, encoding="utf-8")
    return folder


def test_the_plugins_and_pipelines_of_the_worker_keep_their_word(capsys: pytest.CaptureFixture[str]) -> None:
    # GIVEN the shipped model and the plugins of this checkout, WHEN they are tried on the sample frame
    status = main([])
    output = capsys.readouterr().out
    # THEN all is well, and there really was something to find and to read on it
    assert status == 0, output
    assert "FAIL" not in output
    tools = ("yolo.detect: .*detections", "ocr.read: gives blocks", "ocr.read_regions: gives blocks")
    assert [tool for tool in tools if not re.search(rf"^ok    tool {tool} \([1-9]", output, re.M)] == []
    names = [path.name for path in BUILT_IN_PIPELINES.glob("*.json")]
    assert [name for name in names if f"ok    pipeline {name}: " not in output] == []


def test_the_command_checks_a_users_own_folders() -> None:
    command = [sys.executable, "-m", "tools.governance.validate_plugins"]
    command += ["--plugins", str(PLUGINS), "--pipelines", str(PIPELINES)]
    done = subprocess.run(command, cwd=SUPPORT.parents[1], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "ok    manifest counter/manifest.json",
        "ok    plugin counter: loads and tells its facts",
        "ok    tool counter.count: gives bright",
        "ok    tool counter.misbehave: gives bright",
        "ok    pipeline count.json: only",
        "ok    pipeline misbehave.json: only",
        "ok    worker: takes these plugins and pipelines",
        "7 things checked, 0 problems",
    ]


def test_every_faulty_tool_is_told_with_its_fault_and_the_good_ones_pass(tmp_path: Path, run: Run) -> None:
    shutil.copytree(FAULTS / "faulty", tmp_path / "faulty")
    status, lines = run(plugins=tmp_path)
    assert status == 1
    lines = [re.sub(r"line \d+", "line N", line) for line in lines]
    told = dict(line[6:].split(": ", 1) for line in lines if "tool faulty." in line)
    assert told == {
        "tool faulty.good": "gives bright",
        "tool faulty.uses_good": "gives doubled",
        "tool faulty.unmet": "it was not run, since no tool gives its input nowhere_given",
        "tool faulty.undeclared": "it raises KeyError: 'bright' (plugin.py, line N)",
        "tool faulty.lacking": "it does not give 'missing', which its output_types name",
        "tool faulty.adding": "it gives 'pid', which its output_types do not name",
        "tool faulty.no_dict": "it returns list instead of a dict",
        "tool faulty.nan": "'bright' cannot be written into the results: "
        "Out of range float values are not JSON compliant",
        "tool faulty.numpy": "'bright' cannot be written into the results: "
        "Object of type int64 is not JSON serializable",
        "tool faulty.boxes": "not in the format of results: detections.0.xyxy: Field required",
        "tool faulty.failing": "it raises LookupError: nothing there (plugin.py, line N)",
        "tool faulty.leaving": "it raises SystemExit: 0 (plugin.py, line N)",
        "tool faulty.unknown": "it raises KeyError: 'unknown' (function_plugin.py, line N)",
    }
    assert [line[:4] for line in lines if "faulty.good" in line or "uses_good" in line] == ["ok  ", "ok  "]
    assert lines[-1].endswith("13 problems")  # and two pipelines lack their plugin


def tried(
    plugins: Path, manifests: list[Manifest], providers: list[Manifest], limit_s: float
) -> list[Checked]:
    with plugin_process(settings_for(plugins, PIPELINES), limit_s) as ask:
        return list(PluginTrial(ask).run(manifests, providers))


def test_what_crashes_or_hangs_is_told_and_the_rest_still_checked() -> None:
    started = time.monotonic()
    checked = tried(FAULTS, [load_manifests(FAULTS)["dangerous"]], [], limit_s=3)
    assert {one.thing: one.problems for one in checked} == {
        "plugin dangerous": (),
        "tool dangerous.good": (),
        "tool dangerous.crash": ("it takes the whole process down (SIGSEGV)",),
        "tool dangerous.hang": ("it gave no answer within 3 s",),
        "tool dangerous.end": ("it takes the whole process down (exit code 3)",),
        "tool dangerous.last": (),
    }
    assert time.monotonic() - started < 25


def test_inputs_come_from_the_workers_own_tools_where_no_other_gives_them() -> None:
    faulty = load_manifests(FAULTS)["faulty"]
    giver, taker = (replace(faulty, tools={name: faulty.tools[name]}) for name in ("good", "uses_good"))
    alone, helped = (tried(FAULTS, [taker], helpers, limit_s=60) for helpers in ([], [giver]))
    assert [one.thing for one in alone if one.problems] == ["tool faulty.uses_good"]
    things = ["plugin faulty", "tool faulty.good", "tool faulty.uses_good"]
    assert [(one.thing, one.problems) for one in helped] == [(thing, ()) for thing in things]


REMEMBERING = """
from pathlib import Path

class Tool:
    def __init__(self, has_begun=False): self.has_begun = has_begun
    def begin_part(self): return Tool(has_begun=True)
    def abort(self): pass
    def run(self, payload): return {"bright": 1} if self.has_begun else {}

class Plugin:
    def tool(self, tool_id): return Tool()
    def facts(self): return {}

def create_plugin(settings):
    with Path(__file__).with_name("loaded").open("a") as file: file.write("x")
    return Plugin()
"""


def test_a_plugin_is_loaded_once_and_a_tool_that_remembers_begins_a_part(tmp_path: Path) -> None:
    folder = own_plugin(tmp_path, REMEMBERING)
    checked = tried(folder, list(load_manifests(folder).values()), [], limit_s=60)
    assert [one.thing for one in checked if one.problems] == []
    assert len(checked) == 3
    assert (folder / "mine" / "loaded").read_text(encoding="utf-8") == "x"


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("def create_plugin(settings: ", "it raises SyntaxError"),
        ("import no_such_package\n", "it raises ModuleNotFoundError: No module named 'no_such_package'"),
        ("x = 1\n", "it raises AttributeError: module 'video_worker_plugin_counter' has no attribute"),
        (
            "class P:\n    def facts(self): return {'model': object()}\n"
            "def create_plugin(settings): return P()\n",
            "it raises TypeError: Object of type object is not JSON serializable",
        ),
        (None, "The plugin 'counter' has no plugin.py in"),
    ],
    ids=["not Python", "a missing package", "no create_plugin", "facts that are no JSON", "no code"],
)
def test_a_plugin_that_does_not_load_is_told(
    tmp_path: Path, run: Run, code: str | None, problem: str
) -> None:
    folder = own_plugin(tmp_path, code or "")
    if code is None:
        (folder / "mine" / "plugin.py").unlink()
    status, lines = run(plugins=folder)
    (failed,) = (line for line in lines if line.startswith("FAIL"))
    assert (status, failed.startswith(f"FAIL  plugin counter: {problem}")) == (1, True), failed


def test_nothing_to_check_is_a_failure(tmp_path: Path, run: Run) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        status, lines = run(plugins=folder, pipelines=BUILT_IN_PIPELINES)
        told = f"FAIL  plugins in {folder}: there is none: a plugin is a folder with a manifest.json"
        assert (status, [line for line in lines if line.startswith("FAIL")]) == (1, [told])
    status, lines = run(pipelines=tmp_path)
    assert status == 1
    assert f"FAIL  pipelines in {tmp_path}: there is none: a pipeline is a file *.json" in lines


def test_problems_of_different_files_are_told_together(tmp_path: Path, run: Run) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "manifest.json").write_text('{"id": "mine"}', encoding="utf-8")
    (tmp_path / "a.json").write_text("{", encoding="utf-8")
    (tmp_path / "b.json").write_text("[]", encoding="utf-8")
    status, lines = run(plugins=tmp_path, pipelines=tmp_path)
    assert status == 1
    things = [f"manifest mine/manifest.json: {name}: " for name in ("name", "type")]
    for thing in (*things, "pipeline a.json: ", "pipeline b.json: not a pipeline definition"):
        assert any(line.startswith(f"FAIL  {thing}") for line in lines), thing


def test_the_workers_own_word_is_the_last_one(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    # GIVEN a worker that has become stricter than the validator
    monkeypatch.setattr(plugin_registry, "PLUGIN_TYPES", ("yolo", "ocr"))
    # WHEN a folder is checked in which the validator finds nothing, THEN the worker's refusal is told
    status, lines = run()
    assert status == 1
    assert "FAIL  worker: it refuses these folders: " in "\n".join(lines)
