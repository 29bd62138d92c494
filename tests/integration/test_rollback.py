"""The rollback: nothing is lost, nothing else is touched, and it goes on where it was stopped."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.client import BaseClient
from moto import mock_aws
from video_jobs.domain import changes
from video_jobs.domain.keys import results_key, video_key

from tests.support import larger_repository as larger
from tests.support.crashes import Crash
from tests.support.deployed import (
    JOB_IDS,
    NOW,
    OPEN,
    STACK,
    STATES,
    Deployed,
    client,
    deduplication_ids,
    deploy,
    messages,
    snapshot,
    use_moto,
)
from tests.support.exported import exported_files, exported_items, exported_messages
from tools.rollback import __main__ as command
from tools.rollback import queues
from tools.rollback.deployment import Aws
from tools.rollback.lines import append_lines

pytestmark = pytest.mark.no_cover  # moto under a tracer takes more than twice the time

DONE, UNFINISHED, REFUSED = 0, 1, 2
TO_THE_END = ("--open-jobs", "export")
PURGE = ("--only", "data", "--data", "purge", "--yes-delete-everything")
_READS = ("Describe", "Get", "Head", "List", "Scan", "Receive")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    use_moto(monkeypatch)
    monkeypatch.setattr(Aws, "client", lambda _, service: client(service))  # made once, not for every run


@pytest.fixture
def deployed(environment: None) -> Iterator[Deployed]:
    with mock_aws():
        yield deploy()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "rollback"


def run(folder: Path, *options: str, pause: Callable[[float], None] = lambda _: None) -> int:
    mode = () if set(options) & {"dry-run", "go-back"} else ("apply",)
    quick = ("--wait-s", "0", "--poll-s", "0", "--export-to", str(folder))
    return command.main([*mode, *options, "--stack", STACK, *quick], pause=pause)


def check_nothing_is_lost(folder: Path, items: list[Any], sent: dict[str, list[str]]) -> None:
    """Every job of before has ended or is written down as it was; so is every message."""
    open_items = [item for item in items if item["job_id"]["S"] in {JOB_IDS[state] for state in OPEN}]
    assert by_id(exported_items(folder / "open_jobs.jsonl")) == by_id(open_items)
    assert sorted(exported_messages(folder).values()) == sorted(sent.values())


def by_id(items: list[Any]) -> dict[str, Any]:
    return {item["job_id"]["S"]: item for item in items}


def stacks() -> list[str]:
    return [stack["StackName"] for stack in client("cloudformation").describe_stacks()["Stacks"]]


# --- infrastructure and data -----------------------------------------------------------------------


def test_the_stack_goes_and_no_job_and_no_message_is_lost(deployed: Deployed, folder: Path) -> None:
    # GIVEN jobs in every state and messages in every queue
    items, sent, objects = deployed.items(), messages(), deployed.objects()
    # WHEN the infrastructure is taken away
    assert run(folder, "--only", "infrastructure", *TO_THE_END) == DONE
    # THEN table and bucket are as they were, and the rest is gone or written down
    assert stacks() == []
    assert (deployed.items(), deployed.objects()) == (items, objects)
    check_nothing_is_lost(folder, items, sent)


def test_an_export_holds_all_items_all_results_and_the_videos_of_open_jobs(
    deployed: Deployed, folder: Path
) -> None:
    items = deployed.items()
    assert run(folder, "--data", "export", *TO_THE_END) == DONE
    assert by_id(exported_items(folder / "items-JobsTable.jsonl")) == by_id(items)
    kept = exported_files(folder)
    assert kept[Path(results_key(JOB_IDS["completed"])).name] == b"output of completed"
    assert {name for name in kept if name.endswith(".mp4")} == {
        f"{JOB_IDS[state]}.mp4" for state in OPEN - {"awaiting"}
    }
    assert list(exported_files(folder, "versions").values()) == [b"video queued"]
    subprocess.run(["sha256sum", "--quiet", "--check", "SHA256SUMS"], cwd=folder, check=True)


def test_an_export_with_videos_leaves_out_what_its_owner_deleted(deployed: Deployed, folder: Path) -> None:
    assert run(folder, "--only", "data", "--data", "export", "--with-videos") == DONE
    videos = {name for name in exported_files(folder, "") if name.endswith(".mp4")}
    assert videos == {f"{JOB_IDS[state]}.mp4" for state in STATES if state not in ("awaiting", "cancelled")}


def test_an_upload_in_parts_is_compared_byte_by_byte(deployed: Deployed, folder: Path) -> None:
    # GIVEN an object whose ETag is no hash of its content, and a copy of it that was damaged
    s3, where = client("s3"), {"Bucket": deployed.bucket, "Key": results_key(JOB_IDS["failed"])}
    upload = s3.create_multipart_upload(**where)["UploadId"]
    part = s3.upload_part(**where, UploadId=upload, PartNumber=1, Body=b"whole")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    s3.complete_multipart_upload(**where, UploadId=upload, MultipartUpload=parts)
    assert run(folder, "--only", "data", "--data", "export") == DONE
    (copy,) = folder.rglob(Path(where["Key"]).name)
    listing = folder / "objects.jsonl"
    copy.write_bytes(b"other")
    right, wrong = (hashlib.sha256(content).hexdigest() for content in (b"whole", b"other"))
    listing.write_text(listing.read_text(encoding="utf-8").replace(right, wrong), encoding="utf-8")
    # WHEN the data is to be purged
    client("cloudformation").delete_stack(StackName=STACK)
    # THEN it stays
    assert run(folder, *PURGE) == UNFINISHED
    assert len(deployed.objects()) > 0


def test_a_dry_run_changes_nothing(
    deployed: Deployed, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = snapshot(deployed)
    assert run(folder, "dry-run", "--data", "purge") == DONE
    assert snapshot(deployed) == before
    assert not folder.exists()
    shown = capsys.readouterr().out
    wanted = ["Stop intake", "Drain", "Stop processing", "Export open work", "Delete the stack", "Purge"]
    assert re.findall(r"^\[\d] (.+)", shown, re.M) == wanted
    assert "nothing to do" not in shown


def test_what_could_lose_data_is_refused(deployed: Deployed, folder: Path) -> None:
    before = snapshot(deployed)
    assert run(folder, "--data", "purge", *TO_THE_END) == REFUSED
    assert run(folder, *PURGE) == REFUSED
    assert command.main(["apply", "--stack", STACK]) == REFUSED
    assert run(folder, "go-back") == REFUSED
    assert snapshot(deployed) == before


def test_a_stack_that_would_take_its_data_along_is_refused(environment: None, folder: Path) -> None:
    with mock_aws():
        deployed = deploy(policy="Delete")
        before = snapshot(deployed)
        assert run(folder, *TO_THE_END) == REFUSED
        assert snapshot(deployed) == before


def test_a_folder_of_another_deployment_is_refused(deployed: Deployed, folder: Path) -> None:
    record = {"stack_name": STACK, "stack_id": "arn:another", "resources": []}
    larger.write(folder / "record.json", json.dumps(record))
    assert run(folder, *TO_THE_END) == REFUSED
    assert stacks() == [STACK]


def test_jobs_may_end_while_intake_is_shut(deployed: Deployed, folder: Path) -> None:
    # GIVEN a service that takes all messages and ends a job after the other, while the rollback waits
    left, closed = sorted(OPEN), []

    def work(_pause_s: float) -> None:
        closed.append(closed_routes(deployed))
        for name in deployed.template.logical_ids("AWS::SQS::Queue") if len(closed) == 1 else ():
            client("sqs").purge_queue(QueueUrl=deployed.ids[name])
        job = deployed.jobs.get_by_id(JOB_IDS[left.pop()]) if left else None
        if job is not None:
            deployed.jobs.update_status(job.job_id, changes.cancel(job, keep=NOW - NOW, now=NOW))

    # WHEN it waits
    quick = ["--poll-s", "0", "--export-to", str(folder)]
    assert command.main(["apply", "--stack", STACK, *quick], pause=work) == DONE
    # THEN new jobs were refused meanwhile, others could be looked at, and none is left over
    assert "POST /video/submit" in closed[0]
    assert not any(route.startswith("GET ") or route.endswith("/cancel") for route in closed[0])
    assert not (folder / "open_jobs.jsonl").exists()
    assert {item["status"]["S"] for item in deployed.items()} == {"completed", "failed"}
    assert stacks() == []


def closed_routes(deployed: Deployed) -> set[str]:
    (stage,) = client("apigatewayv2").get_stages(ApiId=deployed.api)["Items"]
    return {route for route, limits in stage["RouteSettings"].items() if limits["ThrottlingRateLimit"] == 0}


def test_open_jobs_are_left_behind_only_where_that_is_said(deployed: Deployed, folder: Path) -> None:
    before = snapshot(deployed)
    assert run(folder) == UNFINISHED
    assert closed_routes(deployed) != set()
    assert snapshot(deployed) | {"stages": []} == before | {"stages": []}


def die_after(monkeypatch: pytest.MonkeyPatch, dies_at: Callable[[str], bool]) -> None:
    call = BaseClient._make_api_call  # type: ignore[attr-defined]

    def make_api_call(self: Any, operation: str, arguments: Any) -> Any:
        answer = call(self, operation, arguments)
        if dies_at(operation):
            raise Crash
        return answer

    monkeypatch.setattr(BaseClient, "_make_api_call", make_api_call)


def test_it_can_be_stopped_after_every_kind_of_change(
    deployed: Deployed, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # GIVEN a rollback that dies the first time it makes each kind of call that changes something
    items, sent, survived = deployed.items(), messages(), set()

    def dies_at(operation: str) -> bool:
        is_new = not operation.startswith(_READS) and operation not in survived
        survived.add(operation)
        return is_new

    die_after(monkeypatch, dies_at)
    # WHEN it is run until it comes to its end
    for options in (("--data", "export", *TO_THE_END), PURGE):
        assert any(run_or_die(folder, *options) == DONE for _ in range(40))
    # THEN that is the same as without a stop
    assert survived >= {"UpdateStage", "DisableRule", "StopTask", "DeleteMessageBatch", "DeleteStack"}
    assert survived >= {"DeleteObjects", "DeleteBucket", "DeleteTable", "UpdateAutoScalingGroup"}
    check_nothing_is_lost(folder, items, sent)
    assert by_id(exported_items(folder / "items-JobsTable.jsonl")) == by_id(items)
    assert (stacks(), client("dynamodb").list_tables()["TableNames"]) == ([], [])
    assert client("s3").list_buckets()["Buckets"] == []


def run_or_die(folder: Path, *options: str) -> int | None:
    try:
        return run(folder, *options)
    except Crash:
        return None


def test_a_message_is_written_once_although_the_rollback_dies_before_deleting_it(
    deployed: Deployed, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # GIVEN a rollback that dies while it writes messages down that are still in their queue
    monkeypatch.setattr(queues, "HELD_S", 1)
    sent = messages()
    with monkeypatch.context() as mortal:
        mortal.setattr(queues, "append_lines", append_and_die_in_the_last_line)
        assert run_or_die(folder, *TO_THE_END) is None
    assert messages() == sent
    # WHEN it goes on, waiting until they come back
    to_wait = ["--export-to", str(folder), "--wait-s", "20", "--poll-s", "0.05", *TO_THE_END]
    assert command.main(["apply", "--stack", STACK, *to_wait]) == DONE
    # THEN each is in the file once
    assert sorted(exported_messages(folder).values()) == sorted(sent.values())


def append_and_die_in_the_last_line(path: Path, new: Iterable[str]) -> None:
    append_lines(path, new)
    path.write_bytes(path.read_bytes()[:-9])
    raise Crash


def test_the_second_time_there_is_nothing_to_do(
    deployed: Deployed, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--data", "export", *TO_THE_END)
    assert run(folder, *options) == DONE
    objects, written = deployed.objects(), larger.tree(folder)
    capsys.readouterr()
    assert run(folder, *options) == DONE
    assert capsys.readouterr().out.count("nothing to do") == 6
    assert (deployed.objects(), larger.tree(folder)) == (objects, written)


def test_in_the_middle_everything_can_be_turned_on_again(
    deployed: Deployed, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # GIVEN a rollback that stopped just before the stack was deleted
    before, known = snapshot(deployed), deduplication_ids()
    with monkeypatch.context() as mortal:
        die_after(mortal, lambda operation: operation == "UpdateAutoScalingGroup")
        assert run_or_die(folder, *TO_THE_END) is None
    off = snapshot(deployed)
    assert off["workers"] == [0]
    assert not any(off["messages"].values())
    # WHEN one goes back
    assert run(folder, "go-back") == DONE
    # THEN the service is as it was, no message looks like one that SQS knows, and going back again is nothing
    assert deduplication_ids().isdisjoint(known)
    for _ in range(2):
        assert snapshot(deployed) | {"tasks": []} == before | {"tasks": []}
        assert run(folder, "go-back") == DONE


def test_a_purge_deletes_everything_but_saves_open_jobs_with_their_videos(
    deployed: Deployed, folder: Path
) -> None:
    items, sent = deployed.items(), messages()
    assert run(folder, "--data", "purge", "--yes-delete-everything", *TO_THE_END) == DONE
    check_nothing_is_lost(folder, items, sent)
    assert client("dynamodb").list_tables()["TableNames"] == client("s3").list_buckets()["Buckets"] == []
    assert exported_files(folder).keys() == {
        Path(video_key(JOB_IDS[state])).name for state in OPEN - {"awaiting"}
    }


def drop_an_item(_deployed: Deployed, folder: Path) -> None:
    path = folder / "items-JobsTable.jsonl"
    path.write_text("".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[1:]), encoding="utf-8")


def damage_a_file(_deployed: Deployed, folder: Path) -> None:
    (copy,) = folder.rglob(Path(results_key(JOB_IDS["completed"])).name)
    copy.write_bytes(copy.read_bytes()[::-1])


def change_an_object(deployed: Deployed, _folder: Path) -> None:
    key = results_key(JOB_IDS["completed"])
    client("s3").put_object(Bucket=deployed.bucket, Key=key, Body=b"changed")


@pytest.mark.parametrize("fault", [drop_an_item, damage_a_file, change_an_object])
def test_a_purge_stops_where_the_export_is_not_what_is_there(
    deployed: Deployed, folder: Path, fault: Callable[[Deployed, Path], None]
) -> None:
    # GIVEN an export that differs from the data
    assert run(folder, "--data", "export", *TO_THE_END) == DONE
    fault(deployed, folder)
    items, objects = deployed.items(), deployed.objects()
    # WHEN the data is to be purged
    assert run(folder, *PURGE) == UNFINISHED
    # THEN it stays until it is exported again
    assert (deployed.items(), deployed.objects()) == (items, objects)
    assert run(folder, "--only", "data", "--data", "export") == DONE
    assert run(folder, *PURGE) == DONE
