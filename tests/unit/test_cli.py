"""The command line: what it prints, on a terminal and in a pipe, and the exit code of each outcome."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from typer.testing import CliRunner
from video_jobs_client.cli.app import app
from video_jobs_client.cli.exits import MEANINGS, ExitCode

from tests.support.command_line import Ran, new_user, run_command
from tests.support.played_answers import TOLD, VIDEO
from tests.support.played_service import JOB_ID, Reply, answer, job, problem, status_of

ROOT = Path(__file__).parents[2]
OTHER = "77ab01c4-0000-4000-8000-000000000000"


Run = Callable[..., Ran]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Run the command line against replies, one after the other."""
    with new_user(tmp_path):
        yield run_command


@pytest.fixture
def clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "videos").mkdir()
    monkeypatch.chdir(tmp_path / "videos")
    path = Path("clip.mp4")
    path.write_bytes(b"video")
    return path


def offered(job_id: str = JOB_ID) -> list[Reply]:
    """The replies to a submit: the offer, the storage's, the job."""
    upload = {"url": "https://bucket.example.com/", "fields": {}, "max_bytes": 9}
    offer = {"job_id": job_id, "upload": {**upload, "expires_at": "2026-11-25T10:00:00Z"}}
    return [answer(offer, 201), httpx2.Response(204), answer(job(job_id=job_id))]


# --- submit and watch ------------------------------------------------------------------------------


def test_the_same_content_is_submitted_once_unless_it_is_wanted_again(run: Run, clip: Path) -> None:
    run("submit", "clip.mp4", replies=offered())
    Path("copy.mp4").write_bytes(clip.read_bytes())
    again = run("submit", "copy.mp4", replies=[answer(job("completed"))])
    assert (again.code, again.out) == (0, f"{JOB_ID}\n")
    assert "copy.mp4 was submitted before" in again.err
    # but with other options, after a failure, and if its job is gone
    others: list[tuple[list[str], list[Reply]]] = [
        (["--fps", "2"], []),
        ([], [answer(job("failed"))]),
        ([], [problem("job_not_found", 404)]),
        (["--again"], []),
    ]
    for options, before in others:
        found = run("submit", "clip.mp4", *options, replies=[*before, *offered(OTHER)])
        assert found.out == f"{OTHER}\n"
        run("submit", "clip.mp4", "--again", replies=offered())


def test_patterns_are_expanded_and_a_file_that_is_refused_keeps_no_other_back(run: Run, clip: Path) -> None:
    Path("b.mp4").write_bytes(b"other")
    Path("a.mp4").write_bytes(b"")
    ran = run("submit", "*.mp4", "--json", replies=[*offered(), *offered(OTHER)])
    assert [json.loads(line)["file"] for line in ran.out.splitlines()] == ["b.mp4", "clip.mp4"]
    assert ran.code == ExitCode.REFUSED
    assert "a.mp4 is empty" in ran.err


def test_ctrl_c_in_an_upload_ends_the_command_also_if_it_was_to_watch(run: Run, clip: Path) -> None:
    Path("other.mp4").write_bytes(b"other")

    def press(_: httpx2.Request) -> httpx2.Response:
        raise KeyboardInterrupt

    ran = run("submit", "clip.mp4", "other.mp4", "--watch", replies=[*offered(), press], terminal=True)
    assert ran.code == ExitCode.INTERRUPTED
    assert ran.err.splitlines() == [
        "Interrupted. Run the same command again: the upload goes on where it ended.",
        f"To wait for it: video-jobs watch {JOB_ID}",
    ]


def test_a_job_can_be_named_by_the_beginning_of_its_id_or_as_the_last(run: Run, clip: Path) -> None:
    assert run("status", "last").code == ExitCode.REFUSED
    run("submit", "clip.mp4", replies=offered())
    for name in ("last", "-", JOB_ID[:8], JOB_ID):
        found = run("status", name, "--json", replies=[answer(job("running"))])
        assert json.loads(found.out)["job_id"] == JOB_ID


def test_ctrl_c_leaves_the_jobs_running_and_says_how_to_come_back(run: Run) -> None:
    goes_on = [answer(job()), *[answer(status_of("running"))] * 9]
    waiting = run("watch", JOB_ID, OTHER, replies=[interrupt, *goes_on], terminal=True)
    assert (waiting.code, waiting.out) == (ExitCode.INTERRUPTED, "")
    assert waiting.err == (f"Interrupted. The jobs go on; to come back: video-jobs watch {JOB_ID} {OTHER}\n")
    one = run("watch", JOB_ID, replies=[interrupt, *goes_on[1:]])
    assert f"The job goes on; to come back: video-jobs watch {JOB_ID}\n" in one.err


def test_ctrl_c_during_an_upload_says_how_it_goes_on(run: Run, clip: Path) -> None:
    sending = run("submit", "clip.mp4", "--watch", replies=[offered()[0], interrupt])
    assert (sending.code, sending.out) == (ExitCode.INTERRUPTED, "")
    assert "Run the same command again" in sending.err


def test_submit_and_watch_end_with_what_became_of_the_job(run: Run, clip: Path) -> None:
    failed = job("failed", error={"code": "unreadable_video", "message": "Unable to read video file"})
    ends: list[tuple[dict[str, Any], ExitCode]] = [
        (job("completed", frames_done=8), ExitCode.OK),
        (failed, ExitCode.JOB_FAILED),
    ]
    for end, code in ends:
        ended = [answer(job()), answer(status_of(end["status"])), answer(end)]
        ran = run("submit", "clip.mp4", "--watch", "--again", replies=[*offered(), *ended])
        assert (ran.code, ran.out.splitlines()[0]) == (code, JOB_ID)


def interrupt(_: httpx2.Request) -> httpx2.Response:
    """The user presses Ctrl-C."""
    signal.raise_signal(signal.SIGINT)
    return answer(job())


# --- what it prints --------------------------------------------------------------------------------


def test_a_narrow_terminal_cuts_names_and_no_ids(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    listed = {"jobs": [job("running", percent=40, filename="a-long-name.mp4")], "next_cursor": None}
    row = run("list", replies=[answer(listed)], terminal=True).out.splitlines()[2]
    assert row.split("  ") == [JOB_ID, "running 40 %", "11-25 10:00", "a-l….mp4"]


FRAME = {
    "frame_index": 0,
    "result": {
        "detections": [{"class_id": 2, "class_name": "car", "confidence": 0.9, "xyxy": [1, 2, 3, 4]}],
        "text": "EXIT",
        "blocks": [],
    },
}
PAGE = {"results": [FRAME], "timestamps_ms": [0], "track_ids": [[7]], "next_cursor": None}


def test_results_are_the_bytes_of_the_service_or_an_export(run: Run, tmp_path: Path) -> None:
    whole = b'{"results":[\n{"frame_index":0,"result":{}}\n]}'
    url = {**PAGE, "results_url": "https://bucket.example.com/r"}
    file = [answer(job("completed")), answer(url), httpx2.Response(200, content=whole)]
    assert run("results", JOB_ID, replies=[*file]).out.encode() == whole
    target = tmp_path / "results.json"
    assert run("results", JOB_ID, "-o", str(target), replies=[*file]).out == ""
    assert target.read_bytes() == whole
    page: list[Reply] = [answer(job("completed")), answer(PAGE)]
    csv = run("results", JOB_ID, "--format", "csv", replies=page).out
    assert csv.splitlines()[1] == "0,0,7,2,car,0.9,1,2,3,4"
    line = json.loads(run("results", JOB_ID, "--format", "jsonl", replies=page).out)
    assert line["result"]["text"] == "EXIT"
    subtitles = run(
        "results", JOB_ID, "--format", "vtt", replies=[answer(job("completed", video=VIDEO)), answer(TOLD)]
    )
    assert "EXIT 12" in subtitles.out


def test_changes_of_jobs_are_told_and_a_deletion_is_asked_about(run: Run) -> None:
    cancelled = job("failed", error={"code": "cancelled", "message": None})
    assert run("cancel", JOB_ID, replies=[answer(cancelled)]).out == f"{JOB_ID}\n"
    assert run("retry", JOB_ID, replies=[answer(job())], terminal=True).out == f"Job {JOB_ID} runs again\n"
    refused = run("delete", JOB_ID)
    assert (refused.code, "--yes" in refused.err) == (ExitCode.USAGE, True)
    assert run("delete", JOB_ID, "--yes", replies=[httpx2.Response(204)]).code == 0


# --- the server ------------------------------------------------------------------------------------


def test_profiles_are_made_chosen_and_listed(run: Run) -> None:
    run("config", "set", "url", "https://api.example.com/", "--profile", "work")
    assert run("config", "get", "url", "--profile", "work").out == "https://api.example.com\n"
    run("config", "use", "work")
    assert run("config", "list").out == "work (default)\turl\thttps://api.example.com\n"
    assert run("list", url=None, replies=[answer({"jobs": [], "next_cursor": None})]).code == 0
    assert run("config", "set", "colour", "red").code == ExitCode.USAGE


def test_the_named_profile_is_asked_and_otherwise_url_or_the_default_one(run: Run) -> None:
    for name in ("home", "work"):
        run("config", "set", "url", f"https://{name}.example.com", "--profile", name)
    run("config", "use", "home")
    asked: list[str] = []

    def listed(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.host)
        return answer({"jobs": [], "next_cursor": None})

    for arguments in (
        ["list"],
        ["--profile", "work", "list"],
        ["list", "--profile", "work"],
        ["--profile", "home", "list", "--profile", "work"],
        ["list", "--url", "https://other.example.com"],
    ):
        assert run(*arguments, replies=[listed], url=None).code == 0
    assert asked == [f"{name}.example.com" for name in ("home", "work", "work", "work", "other")]
    both = run("list", "--profile", "work", "--url", "https://other.example.com", url=None)
    assert (both.code, "leave one of them out" in both.err) == (ExitCode.USAGE, True)


def test_global_options_may_stand_before_and_after_the_command(run: Run, clip: Path) -> None:
    for arguments in (["--json", "status", JOB_ID], ["status", JOB_ID, "--json"]):
        found = run(*arguments, replies=[answer(job("running"))], terminal=True)
        assert json.loads(found.out)["job_id"] == JOB_ID
    for arguments in (["-q", "submit", "clip.mp4", "--again"], ["submit", "clip.mp4", "--again", "--quiet"]):
        assert run(*arguments, replies=offered(), terminal=True).err == ""


# --- help and docs ---------------------------------------------------------------------------------


def commands() -> list[str]:
    found = CliRunner().invoke(app, ["--help"]).stdout.partition("Commands:\n")[2].partition("\n\n")[0]
    return re.findall(r"^  (\S+)", found, re.M)


def test_the_page_on_the_command_line_lists_every_command_and_exit_code() -> None:
    page = (ROOT / "docs/cli.md").read_text(encoding="utf-8")
    shown = re.findall(r"^\| `video-jobs ([a-z]+)", page, re.M)
    assert shown == commands()
    codes: list[tuple[str, Any]] = re.findall(r"^\| (\d+) \| (.+?) \|$", page, re.M)
    assert codes == [(str(code.value), meaning) for code, meaning in MEANINGS.items()]
