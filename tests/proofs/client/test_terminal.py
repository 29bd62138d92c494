"""The command line in a real terminal of 80 columns: progress, tables, Ctrl-C."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pexpect
import pytest
import requests
from rich.cells import cell_len

from tests.e2e.conftest import TIMEOUT_S, Api
from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.support.command_scenes import LONG

CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """Somebody at a terminal who has set VIDEO_JOBS_URL."""

    def __init__(self, url: str, folder: Path) -> None:
        own = {f"VIDEO_JOBS_{name}_DIR": str(folder / name) for name in ("CACHE", "CONFIG")}
        self.environment = {**os.environ, **own, "VIDEO_JOBS_URL": url, "TERM": "xterm"}
        self.environment.pop("COLUMNS", None)
        self.folder = folder

    def start(self, *arguments: str) -> pexpect.spawn[str]:
        return pexpect.spawn(
            sys.executable,
            ["-m", "video_jobs_client.cli", *arguments],
            env=self.environment,
            cwd=str(self.folder),
            dimensions=(24, 80),
            encoding="utf-8",
            timeout=TIMEOUT_S,
        )

    def run(self, *arguments: str) -> tuple[int | None, list[str]]:
        """The exit code, and what stays on the screen."""
        child = self.start(*arguments)
        shown = CONTROL.sub("", child.read())
        child.close()
        return child.exitstatus, [line.rsplit("\r", 1)[-1].rstrip() for line in shown.split("\r\n")]


@pytest.fixture
def terminal(api: Api, tmp_path: Path) -> Terminal:
    return Terminal(api.url, tmp_path)


def test_ctrl_c_leaves_the_job_running_and_the_command_that_is_shown_comes_back(
    terminal: Terminal, api: Api
) -> None:
    # GIVEN a terminal in which a job is watched that waits for its video
    wanted = {"filename": "tiny.mp4", "size_bytes": TINY.stat().st_size}
    offer = requests.post(f"{api.url}/video/submit", json=wanted, timeout=30).json()
    job_id, form = offer["job_id"], offer["upload"]
    child = terminal.start("watch", job_id)
    child.expect("waiting")
    # WHEN the user presses Ctrl-C
    child.sendintr()
    child.expect(r"to come back: video-jobs ([^\r\n]+)")
    assert isinstance(child.match, re.Match)
    shown = child.match[1]
    child.expect(pexpect.EOF)
    child.close()
    # THEN the program ends, and the job does not
    assert child.exitstatus == 130
    requests.post(form["url"], form["fields"], files={"file": TINY.read_bytes()}, timeout=30)
    code, lines = terminal.run(*shown.split())
    assert code == 0
    assert any(line.startswith(f"Job {job_id} (tiny.mp4) is completed: ") for line in lines)


def test_tables_fit_the_terminal_whatever_a_file_is_called(terminal: Terminal) -> None:
    (terminal.folder / LONG).write_bytes(TINY.read_bytes())
    assert terminal.run("submit", LONG, "--fps", "2", "--watch")[0] == 0
    for arguments, words in ((["list"], "completed"), (["summary", "last"], "HARBOUR")):
        code, lines = terminal.run(*arguments)
        assert code == 0
        assert any(words in line for line in lines)
        assert any(set(line.strip()) == {"─"} for line in lines)
        assert max(map(cell_len, lines)) <= 80
