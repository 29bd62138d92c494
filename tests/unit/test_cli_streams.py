"""What `video-jobs` writes to a terminal, to a pipe and to nothing, and how long `watch` lasts."""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pexpect
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
    monkeypatch.setattr("sys.stderr", io.TextIOWrapper(io.BytesIO()))
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


def ended(command: str, *, unbuffered: bool, **streams: Any) -> subprocess.CompletedProcess[bytes]:
    """How the program ends with these streams, with and without PYTHONUNBUFFERED."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.run(
        f"{sys.executable} -m video_jobs_client.cli {command}",
        shell=True,
        check=False,
        env={**environment, "VIDEO_JOBS_URL": URL, **({"PYTHONUNBUFFERED": "1"} if unbuffered else {})},
        stdin=subprocess.DEVNULL,
        **streams,
    )


UNBUFFERED = pytest.mark.parametrize("unbuffered", [False, True], ids=["buffered", "unbuffered"])


@UNBUFFERED
@pytest.mark.parametrize("command", ["config path", "--version", "config set --help"])
def test_a_reader_that_ends_first_ends_the_program_without_a_word(command: str, unbuffered: bool) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    found = ended(command, unbuffered=unbuffered, stdout=writes, stderr=subprocess.PIPE)
    assert (found.returncode, found.stderr) == (ExitCode.BROKEN_PIPE, b"")
    both = ended(command, unbuffered=unbuffered, stdout=writes, stderr=writes)
    os.close(writes)
    assert both.returncode == ExitCode.BROKEN_PIPE


@UNBUFFERED
@pytest.mark.parametrize("command", ["", "play"])
def test_a_reader_of_errors_that_ends_first_ends_the_program_too(command: str, unbuffered: bool) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    found = ended(command, unbuffered=unbuffered, stderr=writes)
    os.close(writes)
    assert found.returncode == ExitCode.BROKEN_PIPE


@UNBUFFERED
@pytest.mark.parametrize("command", ["config path", "submit --help"])
def test_a_full_disk_is_told_in_a_sentence(command: str, unbuffered: bool) -> None:
    with Path("/dev/full").open("wb") as full:
        found = ended(command, unbuffered=unbuffered, stdout=full, stderr=subprocess.PIPE)
        assert found.returncode == ExitCode.REFUSED
        assert found.stderr == b"Error: The output or a file: No space left on device.\n"
        # AND an error that nobody can read keeps its exit code
        for wrong in ("config get colour", f"delete {JOB_ID}"):
            assert ended(wrong, unbuffered=unbuffered, stderr=full).returncode == ExitCode.USAGE


WRITES_MUCH = (
    "import sys; from video_jobs_client.cli import main; from video_jobs_client.cli.output import Output; "
    "Output.line = lambda *_: sys.stdout.write('x' * 300_000); sys.argv[1:] = ['config', 'path']; main()"
)


@UNBUFFERED
def test_output_of_which_a_part_fits_is_not_cut_short_in_silence(tmp_path: Path, unbuffered: bool) -> None:
    command = f'ulimit -f 64; exec {sys.executable} {"-u" if unbuffered else ""} -c "{WRITES_MUCH}" > out'
    found = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, check=False)
    assert found.returncode == ExitCode.REFUSED
    assert found.stderr == b"Error: The output or a file: File too large.\n"


# --- questions -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "code", "said"),
    [("\x03", ExitCode.INTERRUPTED, "Interrupted."), ("\x04", ExitCode.USAGE, "Error: Nothing was deleted")],
    ids=["Ctrl-C", "Ctrl-D"],
)
def test_a_question_ends_with_ctrl_c_and_ctrl_d_means_no(
    tmp_path: Path, key: str, code: ExitCode, said: str
) -> None:
    with new_user(tmp_path):
        child = pexpect.spawn(
            sys.executable, ["-m", "video_jobs_client.cli", "delete", JOB_ID, "--url", URL], encoding="utf-8"
        )
        child.expect_exact("[y/N]:")
        child.send(key)
        child.expect(pexpect.EOF)
        child.close()
    assert f"\n{said}" in str(child.before)
    assert "Aborted" not in str(child.before)
    assert child.exitstatus == code


def test_a_question_that_nobody_can_answer_means_no(run: Run) -> None:
    ran = run("delete", JOB_ID, terminal=True)
    assert (ran.code, "Nothing was deleted" in ran.err) == (ExitCode.USAGE, True)
    command = f"{sys.executable} -m video_jobs_client.cli delete {JOB_ID} --url {URL} <&-"
    child = pexpect.spawn("bash", ["-c", command], encoding="utf-8")
    child.expect_exact("Nothing was deleted")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == ExitCode.USAGE


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
