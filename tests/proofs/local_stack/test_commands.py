"""make demo and make local, as processes: what they print, and what they leave behind."""

from __future__ import annotations

import json
import resource
import shlex
import signal
import subprocess
from contextlib import nullcontext
from pathlib import Path

import pytest
import requests

from gpu_worker_image.models.street_demo_training import SHIPPED
from tests.support.annotated import Written
from tests.support.commands import processes_with, run_in
from tools import demo as demo_command
from tools.local_stack.stack import LocalStack

DEMO_BUDGET_S = 30
"""Of the processor's time: other work on the machine lengthens only the clock's."""


def cpu_of_ended_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_the_demo_shows_what_was_found(tmp_path: Path) -> None:
    before_s = cpu_of_ended_children()
    demo = run_in(tmp_path, "-m", "tools.demo", "--model", str(SHIPPED))
    output, _ = demo.communicate(timeout=120)
    assert demo.returncode == 0, output
    assert cpu_of_ended_children() - before_s < DEMO_BUDGET_S
    assert "Frames analysed: 40" in output
    # AND the summary tells what was in view, and until when
    assert "0:01.000\t0:02.000\t0:01.000\ttext\tSTATION\t10\t" in output
    assert "0:00.000\t0:04.000\t0:04.000\tobject\tcar #1\t" in output
    assert output.rstrip().endswith(".venv/bin/video-jobs annotate last -o annotated.mp4")
    assert "100 %" in output
    results = json.loads((tmp_path / "out" / "tiny_results.json").read_text(encoding="utf-8"))
    times = [frame["timestamp_ms"] for frame in results["results"]]
    assert times == [100 * number for number in range(40)]
    counts = [(len(one["track_ids"]), len(one["result"]["detections"])) for one in results["results"]]
    assert [tracks for tracks, _ in counts] == [detections for _, detections in counts]
    summary = json.loads((tmp_path / "out" / "tiny_summary.json").read_text(encoding="utf-8"))
    assert summary["frames"] == 40
    assert (tmp_path / "out" / "tiny_annotated.png").is_file()
    assert Written.of(tmp_path / "out" / "tiny_annotated.mp4").times_us() == [time * 1000 for time in times]
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.parametrize(("content", "word"), [(b"text, renamed", "it is a text"), (b"", "empty")])
def test_the_demo_refuses_what_is_no_video(
    stack: LocalStack,
    model_path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: bytes,
    word: str,
) -> None:
    monkeypatch.setattr(demo_command, "LocalStack", lambda **_: nullcontext(stack))
    video = tmp_path / "clip.mp4"
    video.write_bytes(content)
    with pytest.raises(demo_command.DemoError, match=word):
        demo_command.run_demo(video, str(model_path), {})


def test_the_demo_says_what_is_wrong(tmp_path: Path) -> None:
    demo = run_in(tmp_path, "-m", "tools.demo", "--video", "gone.mp4")
    output, _ = demo.communicate(timeout=120)
    assert (demo.returncode, output) == (1, "\nIt did not work: There is no file gone.mp4\n")


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


@pytest.mark.parametrize(("stop_signal", "workers"), [(signal.SIGINT, 1), (signal.SIGTERM, 0)])
def test_the_local_stack_leaves_nothing_behind(
    tmp_path: Path, model_path: Path, stop_signal: signal.Signals, workers: int
) -> None:
    # GIVEN a stack with logins that is up
    options = ["--logins", "--port", "0", "--workers", str(workers), "--model", str(model_path)]
    stack = run_in(tmp_path, "-m", "tools.local_stack", *options)
    said = said_until_ready(stack)
    url = said["Ready"].split()[0]
    assert len(processes_with(str(tmp_path))) >= 6
    # which no client enters without a token, as the command says how to get one
    assert requests.get(f"{url}/video/jobs", timeout=10).status_code == 401
    assert requests.get(f"{url}/video/jobs", headers=login(said), timeout=10).json()["jobs"] == []
    # WHEN it is told to stop
    stack.send_signal(stop_signal)
    output, _ = stack.communicate(timeout=60)
    # THEN it ends well, with no process and no temporary file
    assert stack.returncode == 0, output
    assert processes_with(str(tmp_path)) == []
    assert list((tmp_path / "temporary").iterdir()) == []
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=5)


def said_until_ready(stack: subprocess.Popen[str]) -> dict[str, str]:
    assert stack.stdout is not None
    said: dict[str, str] = {}
    while "Ready" not in said:
        word, _, rest = next(stack.stdout).partition(": ")
        said[word] = rest.strip()
    return said


def login(said: dict[str, str]) -> dict[str, str]:
    """The header that the printed command leads to."""
    *_, data, token_url = shlex.split(said["Token"])
    assert token_url.startswith(said["Issuer"].split()[0])
    token = requests.post(token_url, data=dict([data.split("=")]), timeout=10).json()["access_token"]
    return {"authorization": f"Bearer {token}"}


def test_the_local_stack_says_why_it_cannot_start(tmp_path: Path) -> None:
    stack = run_in(tmp_path, "-m", "tools.local_stack", "--model", "/nowhere/model.pt")
    output, _ = stack.communicate(timeout=60)
    assert stack.returncode == 1
    assert "There is no model at /nowhere/model.pt" in output
    assert "Traceback" not in output
