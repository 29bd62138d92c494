"""`video-jobs submit`: which job is the last, what one bad file does to the others, and pipes."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from video_jobs_client.cli.exits import ExitCode

from tests.support.command_line import Ran, new_user, run_command
from tests.support.played_service import JOB_ID, Reply, answer, job
from tests.unit.test_cli import offered

OTHER = "77ab01c4-0000-4000-8000-000000000000"
Run = Callable[..., Ran]


@pytest.fixture
def run(tmp_path: Path, videos: Path) -> Iterator[Run]:
    """Run the command line in an empty folder, against replies."""
    with new_user(tmp_path):
        yield run_command


@pytest.fixture
def clip(run: Run) -> Path:
    path = Path("clip.mp4")
    path.write_bytes(b"video")
    return path


def last(run: Run) -> str:
    """The job that `last` names."""

    def named(request: httpx2.Request) -> httpx2.Response:
        return answer(job(job_id=request.url.path.rpartition("/")[2]))

    found: str = json.loads(run("status", "last", "--json", replies=[named]).out)["job_id"]
    return found


# --- which job is the last -------------------------------------------------------------------------


def test_a_job_whose_video_the_service_fetches_is_the_last(run: Run, clip: Path) -> None:
    run("submit", "clip.mp4", replies=offered())
    fetched: list[Reply] = [answer({"job_id": OTHER}, 201), answer(job(job_id=OTHER))]
    ran = run("submit", "https://videos.example.com/a.mp4?X-Amz-Signature=s", replies=fetched)
    assert (ran.code, ran.out) == (0, f"{OTHER}\n")
    assert last(run) == OTHER


def test_a_job_that_was_submitted_before_becomes_the_last(run: Run, clip: Path) -> None:
    Path("other.mp4").write_bytes(b"other")
    run("submit", "clip.mp4", "other.mp4", replies=[*offered(), *offered(OTHER)])
    assert last(run) == OTHER
    again = run("submit", "clip.mp4", replies=[answer(job("completed"))])
    assert "submitted before" in again.err
    assert last(run) == JOB_ID


# --- the record of jobs ----------------------------------------------------------------------------


def test_the_job_is_told_if_it_cannot_be_remembered(
    run: Run, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("VIDEO_JOBS_CACHE_DIR", str(tmp_path / "file" / "cache"))
    Path("other.mp4").write_bytes(b"other")
    ran = run("submit", "clip.mp4", "other.mp4", replies=[*offered(), *offered(OTHER)])
    assert (ran.code, ran.out) == (0, f"{JOB_ID}\n{OTHER}\n")
    assert ran.err.count("cannot be remembered (Not a directory)") == 1


@pytest.mark.parametrize(
    "broken",
    [
        b'\xff\xfe{"key"\n',
        b'{"key": "k", "jo',
        b'{"key": "k", "job_id": 5}\n',
        b'{"key": ["k"], "job_id": "x"}\n',
        b"[]\n5\n",
    ],
)
def test_a_broken_line_of_the_record_hides_no_other(
    run: Run, clip: Path, tmp_path: Path, broken: bytes
) -> None:
    run("submit", "clip.mp4", replies=offered())
    (record,) = (tmp_path / "cache").glob("submitted-*")
    with record.open("ab") as file:
        file.write(broken)
    assert last(run) == JOB_ID
    run("submit", "clip.mp4", "--again", replies=offered(OTHER))
    assert last(run) == OTHER


# --- one bad file ----------------------------------------------------------------------------------


def test_a_name_that_is_no_text_is_sent_as_well_as_it_can(run: Run) -> None:
    name = os.fsdecode(b"caf\xe9.mp4")
    try:
        Path(name).write_bytes(b"video")
    except OSError:
        pytest.skip("this file system takes names in UTF-8 only")
    wanted: list[str] = []

    def offer(request: httpx2.Request) -> httpx2.Response:
        wanted.append(json.loads(request.content)["filename"])
        found = offered()[0]
        assert isinstance(found, httpx2.Response)
        return found

    ran = run("submit", name, replies=[offer, *offered()[1:]])
    assert (ran.code, ran.out, wanted) == (0, f"{JOB_ID}\n", ["caf?.mp4"])
    assert "caf\\udce9.mp4" in ran.err


def test_a_file_that_cannot_be_read_keeps_no_other_back(run: Run, clip: Path) -> None:
    Path("loop.mp4").symlink_to("loop.mp4")
    long = f"{'x' * 300}.mp4"
    ran = run("submit", "loop.mp4", long, "/proc/self/mem", "clip.mp4", replies=offered())
    assert (ran.code, ran.out) == (ExitCode.REFUSED, f"{JOB_ID}\n")
    first, second, third, *_ = ran.err.splitlines()
    assert first == "Error: loop.mp4 cannot be read (Too many levels of symbolic links)."
    assert second == f"Error: {long} cannot be read (File name too long)."
    assert third == "Error: /proc/self/mem cannot be read (Input/output error)."


def test_a_file_that_changes_meanwhile_keeps_no_other_back(run: Run, clip: Path) -> None:
    Path("grows.mp4").write_bytes(b"a")

    def grow(request: httpx2.Request) -> httpx2.Response:
        with Path("grows.mp4").open("ab") as file:
            file.write(b"more")
        found = offered()[0]
        assert isinstance(found, httpx2.Response)
        return found

    ran = run("submit", "grows.mp4", "clip.mp4", replies=[grow, *offered(OTHER)])
    assert (ran.code, ran.out) == (ExitCode.REFUSED, f"{OTHER}\n")
    assert "grows.mp4 has changed meanwhile: submit it again when it is complete.\n" in ran.err


# --- pipes -----------------------------------------------------------------------------------------


def test_a_video_may_come_by_a_pipe(run: Run) -> None:
    sent: list[bytes] = []

    def take(request: httpx2.Request) -> httpx2.Response:
        sent.append(request.content)
        return answer({"job_id": JOB_ID}, 201)

    replies: list[Reply] = [take, answer(job())]
    assert run("submit", "-", replies=replies, stdin=b"video").out == f"{JOB_ID}\n"
    os.mkfifo("pipe")
    writer = threading.Thread(target=Path("pipe").write_bytes, args=(b"other",))
    writer.start()
    assert run("submit", "pipe", replies=replies).out == f"{JOB_ID}\n"
    writer.join()
    assert sent == [b"video", b"other"]
    assert last(run) == JOB_ID


def test_a_terminal_and_a_device_are_no_pipes(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    device = run("submit", "/dev/null")
    assert (device.code, device.err) == (
        ExitCode.REFUSED,
        "Error: /dev/null is neither a file nor a pipe.\n",
    )
    monkeypatch.setattr("typer.testing._NamedTextIOWrapper.isatty", lambda _: True, raising=False)
    typed = run("submit", "-")
    assert (typed.code, "video-jobs submit -" in typed.err) == (ExitCode.REFUSED, True)


def test_what_came_by_a_pipe_cannot_go_on_after_ctrl_c(run: Run) -> None:
    def press(_: httpx2.Request) -> httpx2.Response:
        raise KeyboardInterrupt

    ran = run("submit", "-", replies=[press], stdin=b"video")
    assert (ran.code, ran.err) == (ExitCode.INTERRUPTED, "Interrupted.\n")
