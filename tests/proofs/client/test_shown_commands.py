"""The commands and programs of the README and other pages work as they are shown."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from functions.video_api import answer_models
from tests.e2e.conftest import Api
from tests.support.pages import Page

ROOT = Path(__file__).parents[3]


def commands_of(page: str) -> Iterator[str]:
    for block in Page(ROOT / page).blocks():
        if block.language == "sh":
            yield from re.findall(r"^curl .+", block.content.replace("\\\n", ""), re.MULTILINE)


def answer_to(command: str, api: Api) -> Any:
    line = command.replace("http://127.0.0.1:8000", api.url)
    done = subprocess.run(["bash", "-c", line], cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_the_first_example_of_the_readme_shows_text_and_objects(api: Api) -> None:
    submit, status, results, summary = commands_of("README.md")
    job_id = answer_to(submit, api)["job_id"]
    api.wait_for_end(job_id)
    assert answer_to(status.replace("JOB_ID", job_id), api)["status"] == "completed"
    frame = answer_to(results.replace("JOB_ID", job_id), api)["results"][0]
    assert frame["frame_index"] == 0
    assert {"text", "detections"} <= set(frame["result"])
    told = answer_to(summary.replace("JOB_ID", job_id), api)["summary"]
    (harbour,) = (text for text in told["texts"] if text["text"] == "HARBOUR")
    assert (harbour["start_ms"], harbour["end_ms"]) == (0, 1000)
    assert "tracks" in told


@pytest.mark.parametrize("page", ["README.md", "docs/sdk.md"])
def test_the_python_examples_run_in_their_order(
    page: str, api: Api, capfd: pytest.CaptureFixture[str]
) -> None:
    code = "".join(block.content for block in Page(ROOT / page).blocks() if block.language == "python")
    command = [sys.executable, "-c", code.replace("http://127.0.0.1:8000", api.url)]
    subprocess.run(command, cwd=ROOT, check=True)
    assert "HARBOUR" in capfd.readouterr().out


@pytest.mark.parametrize("page", ["README.md", "docs/cli.md"])
def test_the_commands_of_the_command_line_work_one_after_the_other(
    page: str, api: Api, tmp_path: Path
) -> None:
    shown = next(one for one in Page(ROOT / page).blocks() if "video-jobs submit" in one.content)
    script = "set -e\n" + shown.content.replace("http://127.0.0.1:8000", api.url).replace(
        "tests/fixtures", f"{ROOT}/tests/fixtures"
    )
    own = {name: str(tmp_path / name) for name in ("VIDEO_JOBS_CACHE_DIR", "VIDEO_JOBS_CONFIG_DIR")}
    path = f"{ROOT}/.venv/bin{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={**os.environ, **own, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "text\tHARBOUR\t" in done.stdout


def test_the_upload_that_is_shown_starts_its_job(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    (block,) = (one for one in Page(ROOT / "docs/api.md").blocks() if one.language == "python")
    shown: dict[str, Any] = {}
    exec(block.content.replace("http://127.0.0.1:8000", api.url), shown)
    assert api.wait_for_end(shown["job"]["job_id"])[0]["status"] == "completed"


def test_the_quote_that_is_shown_is_answered(api: Api) -> None:
    (command,) = commands_of("docs/quote.md")
    answer_models.Quote.model_validate(answer_to(command, api))


@pytest.mark.parametrize("page", ["docs/api.md", "docs/webhooks.md"])
def test_every_submit_that_is_shown_is_accepted(page: str, api: Api) -> None:
    job_ids: list[str] = []
    for command in commands_of(page):  # JOB_ID is the job of the command before
        job_ids.append(answer_to(command.replace("JOB_ID", "".join(job_ids[-1:])), api)["job_id"])
    assert job_ids
