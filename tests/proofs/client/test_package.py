"""The client's wheel in an empty virtual environment: command line, completion, start time and types."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest
from video_jobs_client import Client

from gpu_worker_image.models.street_demo_training import SHIPPED
from tests.fixtures.ffmpeg import run_ffmpeg
from tests.fixtures.make_tiny_mp4 import FRAMES
from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.proofs.client.installed import Installed, User
from tests.proofs.help_speed import PAUSING
from tests.support.ready_stack import ready_stack
from tools.local_stack.stack import LocalStack

SCRIPT = Path(__file__).with_name("user_script.py")
SHELLS = ("bash", "zsh", "fish")
REPEATS = 10
PADDING_BYTES = 200 * 2**20
JOB_ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
IMPORT_BUDGET_S = 0.25
HELP_BUDGET_S = 0.4
TRIES = 15


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return Installed.made(tmp_path_factory.mktemp("installed"))


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """Its pipeline ``yolo_only`` waits at each frame; the others are the real ones."""
    settings = {"MODEL_PATH": str(SHIPPED), "FRAME_THREADS": "1", **PAUSING.worker_settings}
    yield from ready_stack(tmp_path_factory, worker_settings=settings)


@pytest.fixture
def nobody(installed: Installed, tmp_path: Path) -> User:
    """A user without a server."""
    return User(installed, tmp_path)


@pytest.fixture
def user(installed: Installed, stack: LocalStack, tmp_path: Path) -> User:
    """A user with a short video, and a long one that takes some seconds with ``yolo_only``."""
    shutil.copy(TINY, tmp_path / "short.mp4")
    run_ffmpeg("-stream_loop", str(REPEATS - 1), "-i", str(TINY), "-c", "copy", str(tmp_path / "long.mp4"))
    return User(installed, tmp_path, stack.url)


def end_of(child: Any) -> tuple[int, str]:
    """The exit code, and what was printed since the last match."""
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus, child.before


def test_nothing_else_of_the_repository_is_there(nobody: User) -> None:
    code = (
        "import importlib.util, sys, video_jobs_client\n"
        "assert video_jobs_client.__file__.startswith(sys.prefix), video_jobs_client.__file__\n"
        "names = ('video_jobs', 'video_worker', 'functions', 'tools', 'tests', 'boto3', 'av', 'numpy')\n"
        "print([name for name in names if importlib.util.find_spec(name)])\n"
    )
    done = nobody.run(nobody.installed.python, "-c", code)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_a_terminal_shows_progress_and_then_how_it_ended(user: User) -> None:
    # WHEN a video is submitted on a terminal, and waited for
    child = user.terminal("submit", "long.mp4", "--pipeline", "yolo_only", "--watch")
    # THEN a bar shows how far it is
    child.expect(rf"long\.mp4: job ({JOB_ID})\r\n")
    job_id = child.match[1]
    child.expect(rf"━ ?\x1b\[0m (\d+) of {REPEATS * FRAMES} frames")
    # AND then it goes away, and the terminal says how it ended and what to do next
    code, rest = end_of(child)
    assert code == 0
    assert rest.rstrip().endswith(
        f"\x1b[?25h\r\x1b[1A\x1b[2KJob {job_id} (long.mp4) is completed: {REPEATS * FRAMES} frames.\r\n"
        f"See what is in it: video-jobs summary {job_id}"
    )


def test_the_command_that_a_terminal_names_in_the_end_shows_the_table(user: User) -> None:
    child = user.terminal("submit", "short.mp4", "--watch")
    child.expect(rf"See what is in it: video-jobs (summary) ({JOB_ID})\r\n")
    command = child.match.groups()
    assert end_of(child)[0] == 0
    code, table = end_of(user.terminal(*command))
    assert code == 0
    lines = COLOUR.sub("", table).strip().splitlines()
    assert max(map(len, lines)) <= 80
    head, rule, *rows = (line.split() for line in lines)
    assert head == ["start", "end", "in", "view", "kind", "name", "frames", "confidence"]
    assert set("".join(rule)) == {"─"}
    assert ["0:00.000", "0:01.000", "0:01.000", "text", "HARBOUR", "10"] in [row[:-1] for row in rows]


def test_ctrl_c_leaves_the_job_running_and_says_how_to_come_back(user: User) -> None:
    # GIVEN a job that runs, and is watched
    child = user.terminal("submit", "long.mp4", "--pipeline", "yolo_only", "--watch")
    child.expect(rf"[1-9]\d* of {REPEATS * FRAMES} frames")
    # WHEN Ctrl-C is pressed
    child.sendintr()
    # THEN it ends with the exit code of docs/cli.md, names the command to come back, and shows the cursor
    child.expect(rf"Interrupted\. The job goes on; to come back: video-jobs (watch) ({JOB_ID})\r\n")
    command = child.match.groups()
    assert child.before.rfind("\x1b[?25h") > child.before.rfind("\x1b[?25l")
    code, rest = end_of(child)
    assert (code, rest) == (130, "")
    # AND the job runs on, and the command that it named waits for its end
    job = Client(user.url).jobs.get(command[1])
    assert job.status == "running"
    code, rest = end_of(user.terminal(*command))
    assert code == 0
    assert f"is completed: {REPEATS * FRAMES} frames." in rest


def test_ctrl_c_in_an_upload_says_how_to_go_on_with_it(user: User) -> None:
    # GIVEN a video that is uploaded in parts
    with (user.home / "large.mp4").open("wb") as file:
        file.write(TINY.read_bytes() + (PADDING_BYTES + 8).to_bytes(4) + b"free")
        file.truncate(file.tell() + PADDING_BYTES)
    command = ("submit", "large.mp4", "--pipeline", "yolo_only", "--watch")
    child = user.terminal(*command)
    child.expect(r" [1-9]\d+\.\d MiB of 200\.1 MiB")
    # WHEN Ctrl-C is pressed
    child.sendintr()
    # THEN the command ends at once and says what to do
    child.expect(r"Interrupted\. Run the same command again: the upload goes on where it ended\.\r\n")
    assert end_of(child) == (130, "")
    # AND the same command goes on, with the same job
    (waiting,) = Client(user.url).jobs.list(status="pending")
    code, rest = end_of(user.terminal(*command))
    assert code == 0
    assert f"Job {waiting.id} (large.mp4) is completed: {FRAMES} frames." in rest


def test_a_pipe_gets_plain_lines(user: User) -> None:
    done = user.video_jobs("submit", "short.mp4", "--watch")
    assert done.returncode == 0
    job_id, ended = done.stdout.splitlines()
    assert ended.split("\t") == [job_id, "completed", str(FRAMES), ""]
    assert done.stderr == f"short.mp4: job {job_id}\n"


def test_a_pipe_gets_json_if_it_is_wanted(user: User) -> None:
    done = user.video_jobs("submit", "short.mp4", "--watch", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    submitted, ended = map(json.loads, done.stdout.splitlines())
    assert submitted == {"job_id": ended["job_id"], "file": "short.mp4", "submitted": True}
    assert (ended["status"], ended["frames_done"]) == ("completed", FRAMES)
    # AND the same of the summary
    done = user.video_jobs("summary", "last", "--json")
    assert "HARBOUR" in [text["text"] for text in json.loads(done.stdout)["texts"]]


def in_shell(user: User, shell: str, command: str) -> subprocess.CompletedProcess[str]:
    """Run the command under a shell of this name, by which the command line knows what the user has."""
    named = user.home / shell
    shutil.copy("/bin/bash", named)
    return user.run(named, "--norc", "-c", f"{command}; exit $?")


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_can_be_made_for(shell: str, nobody: User) -> None:
    # WHEN the script is printed
    done = in_shell(nobody, shell, "video-jobs --show-completion")
    # THEN it is one of that shell, which takes it
    assert (done.returncode, done.stderr) == (0, "")
    assert f"complete_{shell}" in done.stdout
    script = nobody.home / "completion"
    script.write_text(done.stdout, encoding="utf-8")
    if program := shutil.which(shell):
        checked = nobody.run(program, "-n", script)
        assert (checked.returncode, checked.stderr) == (0, "")
    # AND it can be installed into an empty home
    before = set(nobody.home.rglob("*"))
    done = in_shell(nobody, shell, "video-jobs --install-completion")
    assert (done.returncode, done.stderr) == (0, "")
    made = [path for path in set(nobody.home.rglob("*")) - before if path.is_file()]
    assert any(f"complete_{shell}" in path.read_text("utf-8") for path in made)


@pytest.mark.parametrize(
    ("words", "expected"), [(["su"], {"submit", "summary"}), (["results", "--form"], {"--format"})]
)
def test_bash_completes_commands_and_options(nobody: User, words: list[str], expected: set[str]) -> None:
    script = in_shell(nobody, "bash", "video-jobs --show-completion").stdout
    asked = f"COMP_WORDS=(video-jobs {' '.join(words)}); COMP_CWORD={len(words)}"
    call = '_video_jobs_completion video-jobs; printf "%s\\n" "${COMPREPLY[@]}"'
    done = nobody.run("bash", "--norc", "-c", f"{script}\n{asked}\n{call}")
    assert set(done.stdout.split()) == expected, done.stderr


@pytest.mark.parametrize("code", ["import video_jobs_client", "from video_jobs_client import Client"])
def test_the_import_is_quick(nobody: User, code: str) -> None:
    command = (nobody.installed.python, "-c", code)
    assert nobody.least_seconds(command, tries=TRIES) < IMPORT_BUDGET_S


def test_the_help_is_quick(nobody: User) -> None:
    command = (nobody.installed.program("video-jobs"), "--help")
    assert nobody.least_seconds(command, tries=TRIES) < HELP_BUDGET_S


def mypy(user: User, script: Path) -> subprocess.CompletedProcess[str]:
    """Check a script against what is installed; mypy itself comes from the environment of this test."""
    settings = ["--strict", "--no-incremental", "--config-file=", "--no-error-summary"]
    program = Path(sys.executable).with_name("mypy")
    return user.run(program, *settings, "--python-executable", user.installed.python, script)


def test_a_users_script_is_typed_and_runs(user: User) -> None:
    script = Path(shutil.copy(SCRIPT, user.home / "script.py"))
    checked = mypy(user, script)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
    ran = user.run(user.installed.python, script, "short.mp4")
    assert ran.returncode == 0, ran.stderr
    assert "HARBOUR" in ran.stdout.splitlines()


def test_mistakes_of_a_users_script_are_found(nobody: User) -> None:
    # GIVEN a script with a mistake on each line but the first ones
    script = nobody.home / "wrong.py"
    script.write_text(
        "from video_jobs_client import AsyncClient, Client\n"
        "job = Client().analyse('clip.mp4')\n"
        "Client().analyse('clip.mp4', frames_per_secnd=2)\n"
        "Client().analyse('clip.mp4', frame_stride='2')\n"
        "names: list[int] = [one.class_name for frame in job.frames() for one in frame.detections]\n"
        "job.wait().timestamp_ms\n"
        "async def wait(client: AsyncClient) -> str:\n"
        "    return (client.jobs.get('1')).status\n",
        encoding="utf-8",
    )
    # WHEN mypy reads it
    checked = mypy(nobody, script)
    # THEN it finds each of them
    lines = [int(one) for one in re.findall(r"^wrong\.py:(\d+): error", checked.stdout, re.MULTILINE)]
    assert sorted(set(lines)) == [3, 4, 5, 6, 8], checked.stdout + checked.stderr
