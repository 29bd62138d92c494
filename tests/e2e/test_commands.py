"""make demo and make local, as processes: what they print, and what they leave behind."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest
import requests

from tests.support.commands import processes_with, run_in

DEMO_BUDGET_S = 30


def test_the_demo_shows_what_was_found(tmp_path: Path, model_path: Path) -> None:
    started = time.monotonic()
    demo = run_in(tmp_path, "-m", "tools.demo", "--model", str(model_path))
    output, _ = demo.communicate(timeout=120)
    assert demo.returncode == 0, output
    assert time.monotonic() - started < DEMO_BUDGET_S
    assert "Frames analysed: 40" in output
    assert "HARBOUR                 frames 0-9" in output
    assert "KXR742" in output
    assert "100 %" in output
    results = json.loads((tmp_path / "out" / "tiny_results.json").read_text(encoding="utf-8"))
    assert len(results["results"]) == 40
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.parametrize(
    ("content", "word"), [(b"text, renamed", "ftyp box"), (b"", "empty"), (None, "no file")]
)
def test_the_demo_says_what_is_wrong(
    tmp_path: Path, model_path: Path, content: bytes | None, word: str
) -> None:
    video = tmp_path / "clip.mp4"
    if content is not None:
        video.write_bytes(content)
    demo = run_in(tmp_path, "-m", "tools.demo", "--model", str(model_path), "--video", str(video))
    output, _ = demo.communicate(timeout=120)
    assert demo.returncode == 1
    assert word in output
    assert "Traceback" not in output


def test_the_demo_stops_in_the_middle_and_leaves_nothing(tmp_path: Path, model_path: Path) -> None:
    demo = run_in(tmp_path, "-m", "tools.demo", "--model", str(model_path))
    assert demo.stdout is not None
    next(line for line in demo.stdout if line.startswith("Submitted"))
    demo.send_signal(signal.SIGINT)
    output, _ = demo.communicate(timeout=60)
    assert demo.returncode == 130, output
    assert "Traceback" not in output
    assert processes_with(str(tmp_path)) == []
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.parametrize("stop_signal", [signal.SIGINT, signal.SIGTERM])
def test_the_local_stack_leaves_nothing_behind(
    tmp_path: Path, model_path: Path, stop_signal: signal.Signals
) -> None:
    # GIVEN a stack that is up
    stack = run_in(tmp_path, "-m", "tools.local_stack", "--port", "0", "--model", str(model_path))
    assert stack.stdout is not None
    url = next(line.split()[1] for line in stack.stdout if line.startswith("Ready:"))
    assert requests.get(f"{url}/video/status/x", timeout=10).status_code == 404
    assert len(processes_with(str(tmp_path))) >= 6
    # WHEN it is told to stop
    stack.send_signal(stop_signal)
    output, _ = stack.communicate(timeout=60)
    # THEN it ends well, with no process and no temporary file
    assert stack.returncode == 0, output
    assert processes_with(str(tmp_path)) == []
    assert list((tmp_path / "temporary").iterdir()) == []
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=5)


def test_the_local_stack_says_why_it_cannot_start(tmp_path: Path, model_path: Path) -> None:
    stack = run_in(tmp_path, "-m", "tools.local_stack", "--model", "/nowhere/model.pt")
    output, _ = stack.communicate(timeout=60)
    assert stack.returncode == 1
    assert "There is no model at /nowhere/model.pt" in output
    assert "Traceback" not in output
