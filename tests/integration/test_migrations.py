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


class Table:
    """The table of jobs, with items that are written as they are."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.jobs = DynamoDbJobRepository(name, "us-east-1")
        self._client = boto3.client("dynamodb", region_name="us-east-1")

    def put(self, **values: Any) -> None:
        self._client.put_item(TableName=self.name, Item=FIRST_SHAPE | values)

    def migrate(self) -> int:
        return migrate(self._client, self.name)

    @property
    def job(self) -> Job:
        job = self.jobs.get_by_id(OLD_ID)
        assert job is not None
        return job


@pytest.fixture
def table(resources: Resources) -> Table:
    return Table(resources.id("JobsTable"))


def test_an_item_of_the_first_shape_becomes_a_job_that_reconcile_finds(table: Table) -> None:
    table.put()
    table.put(job_id={"S": OLD_ID.replace("a", "b")}, due_at={"S": "2027-01-02"})
    assert table.migrate() == 2
    job = table.job
    assert (job.status, job.upload.state, job.owner) == (JobStatus.PENDING, UploadState.ACCEPTED, "local")
    assert job.created_at == datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert list(table.jobs.list_due(NOW)) == [job]
    # AND a second run changes nothing
    assert table.migrate() == 0
    assert table.job == job


def test_an_ended_item_is_due_for_nothing_and_keeps_what_it_has(table: Table) -> None:
    table.put(status={"S": "completed"}, owner={"S": "ann"}, attempt={"N": "2"}, due_shard={"N": "3"})
    assert table.migrate() == 1
    assert list(table.jobs.list_due(NOW)) == []
    assert (table.job.owner, table.job.attempt) == ("ann", 2)


@pytest.mark.parametrize("name", migration_names())
def test_each_migration_has_nothing_to_do_after_itself(name: str) -> None:
    changes = import_module(f"video_jobs.migrations.{name}").changes
    item = FIRST_SHAPE | {"due_at": {"S": "2025-01-02"}}
    once = item | changes(item)
    assert once != item
    assert changes(once) == {}


def test_an_item_of_today_is_left_alone(table: Table) -> None:
    upload = Upload(key="video_jobs/x.mp4")
    job = Job(job_id=OLD_ID, owner="ann", created_at=NOW, updated_at=NOW, upload=upload)
    table.jobs.save(job)
    assert table.migrate() == 0
    assert table.job == job


def test_the_model_writes_the_newest_shape() -> None:
    assert schema_version() == SCHEMA_VERSION
    assert [name[:5] for name in migration_names()] == [f"m{n + 1:04d}" for n in range(SCHEMA_VERSION)]


def test_the_command_tells_what_it_did(
    table: Table, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table.put()
    for name, status in ((table.name, 0), ("nothing", 1)):
        monkeypatch.setattr("sys.argv", ["migrate", "--table", name])
        assert command.main() == status
    assert "Items changed: 1" in capsys.readouterr().out
