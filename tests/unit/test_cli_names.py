"""How a job is named: by its id, the beginning of the id, or as the last one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from video_jobs_client.cli import record
from video_jobs_client.cli.exits import ExitCode

from tests.support.command_line import Ran, new_user, run_command
from tests.support.played_service import JOB_ID, Reply, answer, job
from tests.unit.test_cli import offered

Run = Callable[..., Ran]
TWIN = f"{JOB_ID[:9]}0000-4000-8000-000000000000"


@pytest.fixture
def run(tmp_path: Path, videos: Path) -> Iterator[Run]:
    (videos / "clip.mp4").write_bytes(b"video")
    with new_user(tmp_path):
        yield run_command


def listed(*ids: str, cursor: str | None = None) -> Reply:
    return answer({"jobs": [job(job_id=one) for one in ids], "next_cursor": cursor})


@pytest.mark.parametrize("command", ["status", "watch"])
def test_a_job_of_another_machine_can_be_named_by_the_beginning_of_its_id(run: Run, command: str) -> None:
    asked: list[str] = []

    def tell(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.path)
        return answer(job("completed"))

    pages = [listed("77ab01c4-0000-4000-8000-000000000000", cursor="2"), listed(JOB_ID)]
    assert run(command, JOB_ID[:8], replies=[*pages, tell]).code == 0
    assert asked == [f"/video/jobs/{JOB_ID}"]


def test_the_service_is_not_asked_for_a_beginning_that_this_machine_knows_or_a_whole_id(run: Run) -> None:
    run("submit", "clip.mp4", replies=offered())
    for name in (JOB_ID[:8], JOB_ID, TWIN):
        assert run("status", name, replies=[answer(job())]).code == 0


def test_the_list_is_asked_for_once_however_many_jobs_are_named(run: Run) -> None:
    ended: list[Reply] = [answer(job("failed", error={"code": "cancelled", "message": None}))] * 2
    ran = run("cancel", JOB_ID[:8], TWIN[:13], replies=[listed(JOB_ID, TWIN.replace("3f", "4f")), *ended])
    assert ran.code == ExitCode.NOT_FOUND
    ran = run("cancel", JOB_ID[:13], TWIN[:13], replies=[listed(JOB_ID, TWIN), *ended])
    assert (ran.code, ran.err) == (0, "")


def test_an_ambiguous_beginning_is_refused_before_anything_happens_and_all_that_fit_are_told(
    run: Run,
) -> None:
    ran = run("retry", TWIN, JOB_ID[:8], replies=[listed(JOB_ID, TWIN)])
    assert (ran.code, ran.out) == (ExitCode.REFUSED, "")
    assert JOB_ID in ran.err
    assert TWIN in ran.err
    many = [f"{JOB_ID[:-4]}{number:04}" for number in range(12)]
    assert "and 7 more" in run("status", JOB_ID[:8], replies=[listed(*many)]).err


def test_a_beginning_of_none_of_the_newest_jobs_is_told_as_such(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "NEWEST", 2)
    ran = run("status", JOB_ID[:8], replies=[listed("a" * 36, "b" * 36, cursor="2")])
    assert (ran.code, ran.out) == (ExitCode.NOT_FOUND, "")
    assert ran.err == (
        "Error: Neither a job of this machine nor one of your newest 2 jobs has an id that begins with "
        "3f0f6122. `video-jobs list` shows your jobs.\n"
    )


@pytest.mark.parametrize("name", ["", "3", "3f0"])
def test_a_beginning_that_is_too_short_is_refused_without_a_question(run: Run, name: str) -> None:
    ran = run("status", name)
    assert (ran.code, ran.out) == (ExitCode.USAGE, "")
    assert "at least 4 characters" in ran.err
