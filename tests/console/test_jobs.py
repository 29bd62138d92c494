"""The list of jobs tells how they go, and lets their owner act."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from video_jobs_client import Client

from tests.console.conftest import Drive
from tests.console.test_upload import PNG
from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tools.local_stack.stack import LocalStack

ON_A_PAGE = 20


def await_video(client: Client, filename: str) -> None:
    """Submit a job whose video never comes."""
    wanted = json.dumps({"size_bytes": 1000, "filename": filename}).encode()
    headers = {"content-type": "application/json"}
    assert client.request("POST", "/video/submit", headers=headers, content=wanted).status == 201


@pytest.fixture(scope="module", autouse=True)
def jobs(client: Client) -> None:
    """One completed job, one that fails because of its options, and one that waits for its video."""
    client.analyse(TINY, filename="done.mp4", max_frames=2).wait(timeout=60)
    client.analyse(TINY, filename="unicorn.mp4", classes=["unicorn"]).wait(timeout=60, check=False)
    await_video(client, "waiting.mp4")


def test_the_pages_fit_every_width_and_screen_reader(
    drive: Drive, stack: LocalStack, pictures: Path, tmp_path: Path
) -> None:
    picture = tmp_path / "picture.png"
    picture.write_bytes(PNG)
    findings = drive("jobs.js", journey="pictures", url=stack.url, folder=pictures, picture=picture)
    assert len(findings) == 2 * 2 * 3
    assert {name: found for name, found in findings.items() if found} == {}


def test_a_job_is_explained_cancelled_and_deleted(drive: Drive, stack: LocalStack) -> None:
    seen = drive("jobs.js", journey="life", url=stack.url)
    assert "The model has no class 'unicorn'" in seen["reason"]
    assert "Upload it again with classes that the model knows." in seen["reason"]
    assert [name.split()[0] for name in seen["offered"]] == ["Delete"]
    assert "Cancel waiting.mp4?" in seen["question"]
    assert seen["afterEscape"] == "pending"
    assert seen["focusIsBack"] == "Cancel waiting.mp4"
    assert set(seen["completed"]) == {"completed"}
    assert seen["findings"] == seen["findingsInQuestion"] == seen["faults"] == []


def test_older_jobs_are_on_further_pages(drive: Drive, stack: LocalStack, client: Client) -> None:
    names = [f"page-{number:02}.mp4" for number in range(ON_A_PAGE + 5)]
    for name in names:
        await_video(client, name)
    seen = drive("jobs.js", journey="pages", url=stack.url)
    assert seen["newest"] == seen["again"] == names[: -ON_A_PAGE - 1 : -1]
    assert seen["older"][:5] == names[4::-1]
    assert seen["faults"] == []


def test_a_page_that_is_hidden_asks_nothing(drive: Drive, stack: LocalStack) -> None:
    assert drive("jobs.js", journey="hidden", url=stack.url) == {"whileHidden": 0}


def test_the_list_says_that_it_is_out_of_date(drive: Drive, stack: LocalStack) -> None:
    seen = drive("jobs.js", journey="away", url=stack.url)
    assert "cannot be reached" in seen["told"]
    assert seen["rowsStay"] > 0


def test_the_pages_are_reached_by_the_keyboard(drive: Drive, stack: LocalStack) -> None:
    order = drive("jobs.js", journey="keyboard", url=stack.url)["order"]
    assert order[:7] == [
        "Skip to the content",
        "Video Jobs",
        "Jobs",
        "Upload",
        "Upload videos",
        "State",
        "Analysis",
    ]
