"""Values of options and arguments that cannot be right, and names of files that only look so."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from video_jobs_client.cli.exits import ExitCode, message_of
from video_jobs_client.errors import VideoJobsClientError

from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.support.command_line import Ran, new_user, run_command
from tests.support.played_answers import QUOTE, VIDEO
from tests.support.played_service import JOB_ID, answer, job

Run = Callable[..., Ran]
NO_TEXT = os.fsdecode(b"caf\xff")


@pytest.fixture
def run(tmp_path: Path, videos: Path) -> Iterator[Run]:
    (videos / "clip.mp4").write_bytes(b"video")
    with new_user(tmp_path):
        yield run_command


@pytest.mark.parametrize(
    "arguments",
    [
        ("submit", "clip.mp4", "--fps", "nan"),
        ("submit", "clip.mp4", "--end-ms", "inf"),
        ("submit", "clip.mp4", "--start-ms=-inf"),
        ("submit", "clip.mp4", "--min-confidence", "1e999"),
        ("submit", "clip.mp4", "--region", "nan,0,1,1"),
        ("quote", "clip.mp4", "--fps", "inf"),
        ("watch", JOB_ID, "--timeout", "inf"),
    ],
    ids=" ".join,
)
def test_a_number_that_is_none_is_refused(run: Run, arguments: tuple[str, ...]) -> None:
    ran = run(*arguments)
    assert (ran.code, ran.out) == (ExitCode.USAGE, "")
    assert "finite number" in " ".join(ran.err.split())


@pytest.mark.parametrize(
    "arguments",
    [
        ("status", NO_TEXT),
        ("watch", JOB_ID, NO_TEXT),
        ("submit", "clip.mp4", "--pipeline", NO_TEXT),
        ("submit", "clip.mp4", "--classes", f"car,{NO_TEXT}"),
        ("list", "--status", NO_TEXT),
        ("list", "--url", f"https://api.example.com/{NO_TEXT}"),
        ("config", "set", "url", "https://api.example.com", "--profile", NO_TEXT),
    ],
    ids=ascii,
)
def test_an_argument_that_is_no_text_is_refused(run: Run, arguments: tuple[str, ...]) -> None:
    ran = run(*arguments)
    assert (ran.code, ran.out) == (ExitCode.USAGE, "")
    assert "is not text in UTF-8" in " ".join(ran.err.split())


def test_an_address_of_a_video_that_is_no_text_is_refused(run: Run) -> None:
    ran = run("submit", f"https://videos.example.com/{NO_TEXT}.mp4")
    assert (ran.code, ran.out) == (ExitCode.REFUSED, "")
    assert "is not text in UTF-8" in ran.err


@pytest.mark.parametrize("name", ["12:30:00.mp4", "http:clip.mp4", NO_TEXT])
def test_a_quote_reads_the_facts_of_a_video_whatever_it_is_called(run: Run, name: str) -> None:
    try:
        shutil.copy(TINY, name)
    except OSError:
        pytest.skip("this file system takes names in UTF-8 only")
    asked: list[set[str]] = []

    def told(request: httpx2.Request) -> httpx2.Response:
        asked.append(set(json.loads(request.content)))
        return answer(QUOTE)

    assert run("quote", name, replies=[told]).code == 0
    assert asked == [{"size_bytes", "width", "height", "duration_ms", "average_frame_rate"}]


def test_the_video_that_is_drawn_and_its_target_may_be_called_like_an_address(run: Run) -> None:
    shutil.copy(TINY, "12:30:00.mp4")
    frame = {"frame_index": 0, "result": {"detections": [], "text": "", "blocks": []}}
    page = {"results": [frame], "timestamps_ms": [0], "track_ids": [[]], "next_cursor": None}
    replies = [answer(job("completed", video=VIDEO)), answer(page)]
    ran = run("annotate", JOB_ID, "12:30:00.mp4", "-o", "12:31.mp4", "--no-sound", replies=replies)
    assert (ran.code, ran.err) == (0, "Written to 12:31.mp4\n")
    assert Path("12:31.mp4").stat().st_size > 0


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("is its URL right?", "is its URL right?"),
        ("Stop!", "Stop!"),
        ("It is gone.", "It is gone."),
        ("It is gone", "It is gone."),
    ],
)
def test_a_message_gets_a_full_stop_if_it_has_no_end(said: str, told: str) -> None:
    assert message_of(VideoJobsClientError(said)) == told


@pytest.mark.parametrize("command", [["quote"], ["verify", JOB_ID], ["annotate", JOB_ID]], ids=" ".join)
def test_a_file_that_is_missing_is_told_before_the_service_is_asked(run: Run, command: list[str]) -> None:
    ran = run(*command, "missing.mp4")
    assert (ran.code, ran.out) == (ExitCode.REFUSED, "")
    assert ran.err == "Error: There is no file missing.mp4.\n"


def test_a_missing_worker_is_told_before_anything_is_fetched(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("video_jobs_client.verification.recomputation.find_spec", lambda name: None)
    ran = run("verify", JOB_ID)
    assert (ran.code, ran.out) == (ExitCode.REFUSED, "")
    assert ran.err.startswith("Error: The worker is not installed for ")
