"""What `video-jobs` writes to a terminal, to a pipe and to nothing, and how long `watch` lasts."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from typer.testing import CliRunner
from video_jobs_client.cli import _prepare_output, watch
from video_jobs_client.cli.app import app
from video_jobs_client.cli.exits import ExitCode
from video_jobs_client.cli.output import Output
from video_jobs_client.cli.session import Session

from tests.support.command_line import Ran, new_user, run_command
from tests.support.played_answers import SUMMARY, TOLD, VIDEO
from tests.support.played_service import JOB_ID, URL, Reply, answer, job, status_of

Run = Callable[..., Ran]
ORDERS = "\x1b]0;owned\x07\x9b31m\u202e\r"
"""A title, a colour, a change of direction and a return, as a video may show them or a class be called."""


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    with new_user(tmp_path):
        yield run_command


def detection(**changed: Any) -> dict[str, Any]:
    return {"class_id": 2, "class_name": "car", "confidence": 0.9, "xyxy": [1, 2, 3, 4], **changed}


RESULT = {"detections": [detection(class_name=f"car{ORDERS}")], "text": f"EXIT{ORDERS}", "blocks": []}
PAGE = {
    "results": [{"frame_index": 0, "result": RESULT}],
    "timestamps_ms": [0],
    "track_ids": [[7]],
    "next_cursor": None,
}
SEEN = {**TOLD, "summary": {**SUMMARY, "texts": [{**SUMMARY["texts"][0], "text": f"EXIT{ORDERS}"}]}}
WHOLE = '{"results":[{"text":"EXIT\x9b31m\u202e"}]}'.encode()
FILE = [answer({**PAGE, "results_url": "https://bucket.example.com/r"}), httpx2.Response(200, content=WHOLE)]
FORMATS: dict[str, list[Reply]] = {
    "json": [*FILE],
    "jsonl": [answer(PAGE)],
    "csv": [answer(PAGE)],
    "vtt": [answer(SEEN)],
    "srt": [answer(SEEN)],
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_terminal_obeys_nothing_of_the_results_and_a_pipe_gets_them_as_they_are(
    run: Run, name: str
) -> None:
    replies: list[Reply] = [answer(job("completed", video=VIDEO)), *FORMATS[name]]
    screen = run("results", JOB_ID, "--format", name, replies=replies, terminal=True)
    assert screen.code == 0
    assert not [one for one in screen.out if not one.isprintable() and one != "\n"]
    assert "\\x9b31m\\u202e" in screen.out
    piped = run("results", JOB_ID, "--format", name, replies=replies)
    assert "\x9b31m\u202e" in piped.out


def test_files_and_pipes_get_utf_8_with_plain_line_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(written, encoding="cp1252", newline="\r\n"))
    monkeypatch.setattr("sys.stderr", io.TextIOWrapper(io.BytesIO(), encoding="cp1252"))
    _prepare_output()
    sys.stdout.write("出口 é\n\udce9\r\n")
    sys.stdout.flush()
    assert written.getvalue() == "出口 é\n\\udce9\r\n".encode()


def test_a_terminal_keeps_its_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    terminal = io.TextIOWrapper(written, encoding="cp1252")
    monkeypatch.setattr(terminal, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdout", terminal)
    _prepare_output()
    terminal.write("é出")
    terminal.flush()
    assert written.getvalue() == b"\xe9\\u51fa"


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_output_that_somebody_closed_goes_nowhere(closed: str) -> None:
    command = f"{sys.executable} -m video_jobs_client.cli config path {closed}"
    ended = subprocess.run(command, shell=True, capture_output=True, check=False, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert bool(ended.stdout) == (closed == "2>&-")


# --- watch -----------------------------------------------------------------------------------------


def test_a_silent_service_does_not_make_watch_last_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "_ONE_LOOK_S", 0.01)

    async def silent(_: httpx2.Request) -> httpx2.Response:
        await asyncio.sleep(2)
        return answer(job("completed"))

    session = Session(url=URL, output=Output(is_terminal=False), transport=httpx2.MockTransport(silent))
    with new_user(tmp_path):
        ran = CliRunner().invoke(app, ["watch", JOB_ID, "--timeout", "0.1"], obj=session)
    assert (ran.exit_code, ran.stdout) == (ExitCode.TIMEOUT, "")
    assert f"Job {JOB_ID}: The service does not answer after 0.1 seconds. Wait again" in ran.stderr


def test_without_time_to_wait_watch_tells_how_a_job_ended_all_the_same(run: Run) -> None:
    ran = run("watch", JOB_ID, "--timeout", "0", replies=[answer(job("completed"))])
    assert (ran.code, ran.out) == (0, f"{JOB_ID}\tcompleted\t0\t\n")


def test_watch_says_how_the_job_is_when_the_time_is_over(run: Run) -> None:
    goes_on: list[Reply] = [
        answer(job("running")),
        *[answer(status_of("running")), answer(job("running"))] * 9,
    ]
    ran = run("watch", JOB_ID, "--timeout", "0.1", replies=goes_on)
    assert (ran.code, ran.out) == (ExitCode.TIMEOUT, "")
    assert f"Job {JOB_ID} is running after 0.1 seconds" in ran.err
