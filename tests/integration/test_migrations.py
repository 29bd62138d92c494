"""Data migrations: on items of older shapes, twice in a row."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import boto3
import pytest
from video_jobs.adapters.aws.dynamodb import DynamoDbJobRepository
from video_jobs.adapters.aws.job_item import SCHEMA_VERSION
from video_jobs.domain.job import Job, JobStatus, Upload, UploadState
from video_jobs.migrations.runner import migrate, migration_names, schema_version

from tests.support.aws import Resources
from tools import migrate as command

OLD_ID = "a1111111-1111-4111-8111-111111111111"
FIRST_SHAPE: dict[str, Any] = {
    "job_id": {"S": OLD_ID},
    "status": {"S": "pending"},
    "pipeline_id": {"S": "yolo_ocr"},
    "input_path": {"S": f"video_jobs/{OLD_ID}.mp4"},
    "created_at": {"S": "2025-01-02T03:04:05.000000Z"},
    "updated_at": {"S": "2025-01-02T03:04:06.000000Z"},
}
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def table_of(resources: Resources) -> str:
    return resources.id("JobsTable")


def put(resources: Resources, item: dict[str, Any]) -> None:
    boto3.client("dynamodb", region_name="us-east-1").put_item(TableName=table_of(resources), Item=item)


def run(resources: Resources) -> int:
    return migrate(boto3.client("dynamodb", region_name="us-east-1"), table_of(resources))


def jobs_of(resources: Resources) -> DynamoDbJobRepository:
    return DynamoDbJobRepository(table_of(resources), "us-east-1")


def test_an_item_of_the_first_shape_becomes_a_job_that_reconcile_finds(resources: Resources) -> None:
    put(resources, FIRST_SHAPE)
    assert run(resources) == 1
    job = jobs_of(resources).get_by_id(OLD_ID)
    assert job is not None
    assert (job.status, job.upload.state, job.owner) == (JobStatus.PENDING, UploadState.ACCEPTED, "local")
    assert job.created_at == datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert jobs_of(resources).list_due(NOW, 10) == [job]


def test_an_ended_item_is_due_for_nothing(resources: Resources) -> None:
    put(resources, FIRST_SHAPE | {"status": {"S": "completed"}, "output_path": {"S": "o"}})
    assert run(resources) == 1
    assert jobs_of(resources).list_due(NOW, 10) == []


def test_the_second_run_changes_nothing(resources: Resources) -> None:
    put(resources, FIRST_SHAPE)
    put(resources, FIRST_SHAPE | {"job_id": {"S": OLD_ID.replace("a", "b")}, "due_at": {"S": "2025-01-02"}})
    assert run(resources) == 2
    before = jobs_of(resources).get_by_id(OLD_ID)
    assert run(resources) == 0
    assert jobs_of(resources).get_by_id(OLD_ID) == before


def test_what_an_item_has_already_is_kept(resources: Resources) -> None:
    put(resources, FIRST_SHAPE | {"owner": {"S": "ann"}, "attempt": {"N": "2"}, "due_shard": {"N": "3"}})
    run(resources)
    job = jobs_of(resources).get_by_id(OLD_ID)
    assert job is not None
    assert (job.owner, job.attempt) == ("ann", 2)


@pytest.mark.parametrize("name", migration_names())
def test_each_migration_has_nothing_to_do_after_itself(name: str) -> None:
    changes = import_module(f"video_jobs.migrations.{name}").changes
    item = FIRST_SHAPE | {"due_at": {"S": "2025-01-02"}}
    once = item | changes(item)
    assert once != item
    assert changes(once) == {}


def test_an_item_of_today_is_left_alone(resources: Resources) -> None:
    upload = Upload(key="video_jobs/x.mp4")
    job = Job(job_id=OLD_ID, owner="ann", created_at=NOW, updated_at=NOW, upload=upload)
    jobs_of(resources).save(job)
    assert run(resources) == 0
    assert jobs_of(resources).get_by_id(OLD_ID) == job


def test_the_model_writes_the_newest_shape() -> None:
    assert schema_version() == SCHEMA_VERSION
    assert [name[:5] for name in migration_names()] == [f"m{n + 1:04d}" for n in range(SCHEMA_VERSION)]


def test_the_command_tells_what_it_did(
    resources: Resources, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put(resources, FIRST_SHAPE)
    monkeypatch.setattr("sys.argv", ["migrate", "--table", table_of(resources)])
    assert command.main() == 0
    assert "Items changed: 1" in capsys.readouterr().out
    monkeypatch.setattr("sys.argv", ["migrate", "--table", "nothing"])
    assert command.main() == 1
