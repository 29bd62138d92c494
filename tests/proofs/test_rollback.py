"""The rollback of AWS loses no job and touches nothing else, and every command of docs/rollback.md runs."""

from __future__ import annotations

import gzip
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from tests.integration.test_rollback import ROOT, Done, merged, run, shop
from tests.support.deployed import (
    ENVIRONMENT,
    RESERVED,
    STACK,
    STATES,
    Deployed,
    deploy,
    teach_moto_http_apis,
)
from tools.local_stack.aws_server import MotoServer

__all__ = ["merged", "shop"]
# Moto under a tracer takes more than twice the time, and the AWS CLI is started hundreds of times.
pytestmark = [pytest.mark.no_cover, pytest.mark.timeout(900)]
PAGE = (ROOT / "docs" / "rollback.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    teach_moto_http_apis()
    with MotoServer() as server, pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        patch.setenv("AWS_ENDPOINT_URL", server.url)
        patch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
        yield server.url


@pytest.fixture
def deployed(aws: str) -> Deployed:
    requests.post(f"{aws}/moto-api/reset", timeout=10)
    return deploy(aws)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "rollback"


def rollback(folder: Path, *steps: str) -> Done:
    return run("tools/rollback.sh", *steps, "--stack", STACK, "--folder", folder, "--wait-s 0 --poll-s 0")


def copied_items(folder: Path) -> dict[str, object]:
    texts = [gzip.decompress(path.read_bytes()).decode() for path in (folder / "table").rglob("*.gz")]
    items = [json.loads(line)["Item"] for text in texts for line in text.splitlines()]
    return {item["job_id"]["S"]: item for item in items}


def test_a_dry_run_shows_the_plan_and_changes_nothing(deployed: Deployed, folder: Path) -> None:
    before, items = deployed.switches(), deployed.items()
    done = rollback(folder, "stop", "drain", "export", "delete", "purge-bucket", "purge-table")
    assert done.returncode == 0, done.stderr
    assert (deployed.switches(), deployed.items(), deployed.stacks()) == (before, items, [STACK])
    assert not folder.exists()
    for change in ("update-stage", "put-function-concurrency", "stop-task", "export-table", "delete-stack"):
        assert f" {change}" in done.stdout
    assert "would stop here: not empty" in done.stdout


def test_intake_closes_and_everything_else_stays_open(deployed: Deployed, folder: Path) -> None:
    before = deployed.route_limits()
    assert rollback(folder, "stop", "--apply").returncode == 0
    limits = deployed.route_limits()
    closed = {route for route, limit in limits.items() if limit == 0}
    assert closed == {"POST /video/submit", "POST /video/jobs/{job_id}/retry", "ANY /{proxy+}"}
    assert {**limits, **before} == before | {"ANY /{proxy+}": 0}


@pytest.mark.parametrize("left", ["job", "message"])
def test_drain_waits_for_jobs_and_for_messages(deployed: Deployed, folder: Path, left: str) -> None:
    # GIVEN one thing that is left
    before = deployed.switches()
    deployed.end_all_work()
    deployed.save("2", "running") if left == "job" else deployed.send("WebhooksDeadLetterQueue")
    # WHEN the wait is over
    done = rollback(folder, "drain", "--apply")
    # THEN nothing is turned off
    assert done.returncode == 1
    assert "Stopped: not empty" in done.stderr
    assert deployed.switches() == before


def test_what_is_left_stands_still_until_all_is_turned_on_again(deployed: Deployed, folder: Path) -> None:
    before, items = deployed.switches(), deployed.items()
    assert before["functions"] == [RESERVED, None]
    for _ in range(2):  # a second run must not take what is off for what was before
        assert rollback(folder, "stop", "drain", "--leave-rest", "--apply").returncode == 0
    off = deployed.switches()
    assert (off["functions"], off["workers"], off["tasks"]) == ([0, 0], [0], [])
    assert rollback(folder, "go-back", "--apply").returncode == 0
    started_by_reconcile: dict[str, list[int]] = {"workers": [], "tasks": []}
    assert deployed.switches() | started_by_reconcile == before | started_by_reconcile
    assert deployed.items() == items
    assert list(folder.iterdir()) == []


def test_nothing_is_deleted_before_all_of_it_is_in_the_copy(deployed: Deployed, folder: Path) -> None:
    # GIVEN no copy, then one that an item, a change of an item or an object came after
    missing: dict[str, Callable[[], None]] = {
        "4 items": lambda: None,
        "1 items": lambda: deployed.save("5", "completed"),
        " 1 items": lambda: deployed.save("3", "failed", "2026-03-02T00:00:00Z"),
        "1 objects": lambda: deployed.put("video_jobs/5_results.json", b"new"),
    }
    for what, change in missing.items():
        change()
        # WHEN the stack is to be deleted THEN it stays, until everything is copied again
        done = rollback(folder, "delete", "--apply")
        assert f"{what} are not in the copy" in done.stderr
        assert (done.returncode, deployed.stacks()) == (1, [STACK])
        assert rollback(folder, "export", "--apply").returncode == 0
    assert copied_items(folder) == deployed.items()
    assert not (folder / "bucket" / "job_parts").exists()
    assert rollback(folder, "purge-bucket", "--apply").returncode == 1
    # WHEN it is gone THEN the same holds for table and bucket
    assert rollback(folder, "delete", "--apply").returncode == 0
    assert deployed.stacks() == []
    deployed.put("video_jobs/6_results.json", b"new")
    assert rollback(folder, "purge-bucket", "--apply").returncode == 1
    deployed.save("7", "completed")
    assert rollback(folder, "purge-table", "--apply").returncode == 1
    assert deployed.items().keys() == set("123457")
    assert rollback(folder, "export", "purge-bucket", "--apply").returncode == 0
    assert deployed.client("s3").list_buckets()["Buckets"] == []


def test_videos_are_left_out_where_that_is_asked_for(deployed: Deployed, folder: Path) -> None:
    assert rollback(folder, "export", "--without-videos", "--apply").returncode == 0
    assert [path.name for path in (folder / "bucket").rglob("*.*")] == ["3_results.json"]
    assert rollback(folder, "delete", "--apply").returncode == 1


@pytest.mark.parametrize(("policy", "status"), [("Delete", 1), ("RetainExceptOnCreate", 0)])
def test_a_stack_that_would_take_its_data_along_is_not_deleted(
    aws: str, folder: Path, policy: str, status: int
) -> None:
    requests.post(f"{aws}/moto-api/reset", timeout=10)
    deployed = deploy(aws, policy)
    assert rollback(folder, "export", "delete", "--apply").returncode == status
    assert deployed.stacks() == ([STACK] if status else [])


def test_every_command_of_the_page_keeps_its_word(deployed: Deployed, folder: Path, shop: Path) -> None:
    deployed.end_all_work()
    commands = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.S) for line in block.splitlines()]
    assert sum("tools/rollback.sh" in line for line in commands) == PAGE.count("tools/rollback.sh ") >= 8
    for line in commands:
        for name, place in {"STACK": STACK, "FOLDER": folder, "REPO": shop}.items():
            line = re.sub(rf"\b{name}\b", str(place), line)
        done = run(line, "--poll-s 0" if "rollback.sh" in line else "")
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
    assert deployed.stacks() == deployed.client("s3").list_buckets()["Buckets"] == []
    assert deployed.client("dynamodb").list_tables()["TableNames"] == []
    assert copied_items(folder).keys() == STATES.keys()
