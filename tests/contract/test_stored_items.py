"""Items in the table: what the release before wrote is read, and no name of an attribute changes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from video_jobs.adapters.aws.dynamodb import DynamoDbJobRepository
from video_jobs.adapters.aws.job_item import JobItem
from video_jobs.domain import changes
from video_jobs.domain.job import Failure, Job, JobOptions, JobStatus, Lease, Output, Progress, UploadState
from video_jobs.domain.usage import Usage
from video_jobs.domain.video import JobWarning

from tests.contract.jobs import JOB_ID, KEEP, LEASE, NOW, VIDEO, full_job, make_job

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Item = dict[str, Any]
WAITING: Item = json.loads(
    """{
    "job_id": {"S": "JOB_ID"}, "owner": {"S": "ann"}, "status": {"S": "pending"},
    "created_at": {"S": "2026-01-01T12:30:15.123456Z"}, "updated_at": {"S": "2026-01-01T12:30:15.123456Z"},
    "pipeline_id": {"S": "yolo_ocr"}, "frame_stride": {"N": "1"}, "part_frames": {"N": "256"},
    "input_path": {"S": "video_jobs/JOB_ID.mp4"}, "upload_state": {"S": "awaiting"}, "warnings": {"L": []},
    "generation": {"N": "0"}, "attempt": {"N": "0"}, "failures": {"N": "0"}, "crashes": {"N": "0"},
    "frames_done": {"N": "0"}, "schema_version": {"N": "2"}
}""".replace("JOB_ID", JOB_ID)
)
"""A new job, as the release before wrote it."""

FULL: Item = (
    WAITING
    | json.loads("""{
    "status": {"S": "running"}, "updated_at": {"S": "2026-01-01T12:30:16.123456Z"},
    "pipeline_id": {"S": "ocr_only"}, "frame_stride": {"N": "2"}, "max_frames": {"N": "30"},
    "filename": {"S": "a.mp4"}, "callback_url": {"S": "https://receiver.example/hook"},
    "part_frames": {"N": "8"}, "request_hash": {"S": "hash"}, "fingerprint": {"S": "{\\"model\\": \\"m\\"}"},
    "upload_state": {"S": "accepted"}, "upload_id": {"S": "u"}, "upload_bytes": {"N": "11"},
    "input_version": {"S": "v1"}, "input_bytes": {"N": "10"},
    "generation": {"N": "3"}, "queued_at": {"S": "2026-01-01T12:30:17.123456Z"},
    "due_at": {"S": "2026-01-01T12:30:18.123456Z"}, "due_shard": {"N": "1"},
    "attempt": {"N": "2"}, "failures": {"N": "1"}, "crashes": {"N": "4"},
    "lease_owner": {"S": "a"}, "lease_expires_at": {"S": "2026-01-01T12:31:15.123456Z"},
    "frames_done": {"N": "5"}, "frames_total": {"N": "30"}, "warnings": {"L": [{"S": "short"}]},
    "output_path": {"S": "job_results/o"}, "output_version": {"S": "v2"}, "output_index_version": {"S": "v3"},
    "error_code": {"S": "x"}, "error_message": {"S": "why"}, "expires_at": {"N": "1767270615"},
    "webhook_state": {"S": "retrying"}
}""")
    | {
        "webhook": {
            "S": '{"state": "retrying", "attempts": 1, "status_code": 500, "error": "no", '
            '"updated_at": "2026-01-01T12:30:15.123456Z"}'
        }
    }
)
"""A job with all that an item may hold, as the release before wrote it."""

COMPLETED: Item = {
    name: value
    for name, value in FULL.items()
    if name not in ("due_at", "due_shard", "lease_owner", "lease_expires_at", "error_code", "error_message")
} | {"status": {"S": "completed"}}
ADDED: Item = json.loads("""{
    "needs": {"N": "2"}, "source_host": {"S": "source.example"},
    "text_engine": {"S": "tesseract"}, "languages": {"L": [{"S": "deu"}, {"S": "eng"}]},
    "classes": {"L": [{"S": "car"}, {"S": "person"}]}, "min_confidence": {"N": "0.25"},
    "region": {"L": [{"N": "0.0"}, {"N": "0.1"}, {"N": "0.5"}, {"N": "1.0"}]},
    "start_ms": {"N": "33.367"}, "end_ms": {"N": "60000.0"}, "frames_per_second": {"N": "0.1"},
    "summary_path": {"S": "s"}, "summary_version": {"S": "v4"},
    "tracks_path": {"S": "t"}, "tracks_version": {"S": "v5"}, "tracks_index_version": {"S": "v6"},
    "parts_done": {"N": "1"}, "helpers": {"N": "2"}, "retries": {"N": "2"}, "place": {"S": "sent"},
    "warnings": {"L": [{"S": "smaller"}, {"S": "short"}]},
    "warning_codes": {"L": [{"S": "size_changed"}, {"S": "other"}]},
    "video": {"M": {
        "container": {"S": "mov"}, "codec": {"S": "h264"}, "width": {"N": "1080"}, "height": {"N": "1920"},
        "frame_count": {"N": "40"}, "duration_ms": {"N": "1334.667"}, "average_frame_rate": {"N": "29.97"},
        "first_picture_ms": {"N": "66.733"}, "rotation": {"N": "90"}, "mirrored": {"BOOL": true},
        "interlaced": {"BOOL": true}, "variable_frame_rate": {"BOOL": true}, "hdr": {"S": "hlg"}
    }}
}""") | {
    "source": {"S": '{"url": "https://source.example/a?s=1", "etag": "\\"e\\"", "begun": 2, "failures": 1}'},
    "usage": {"S": '{"compute_ms": 1500, "frames": 7, "bytes": 20, "cost_usd": "0.000219"}'},
}
"""What this release added to a job with all that an item may hold."""
OF_BEFORE = replace(
    full_job(),
    options=JobOptions(
        pipeline_id="ocr_only",
        frame_stride=2,
        max_frames=30,
        filename="a.mp4",
        callback_url="https://receiver.example/hook",
    ),
    progress=Progress(5, 30),
    output=Output("job_results/o", "v2", "v3"),
    upload=replace(full_job().upload, state=UploadState.ACCEPTED, source=None, source_host=None),
    needs=1,
    usage=None,
    retries=0,
    place=None,
    video=None,
    warnings=(JobWarning("other", "short"),),
)
"""The job of `FULL`: a warning of the release before has no code."""


class Table:
    """The job table, as this release sees it and as it is."""

    def __init__(self, name: str) -> None:
        self.jobs = DynamoDbJobRepository(name, "us-east-1")
        self._client: DynamoDBClient = boto3.client("dynamodb", region_name="us-east-1")
        self._name = name

    def put(self, item: Item) -> Job:
        self._client.put_item(TableName=self._name, Item=item)
        job = self.jobs.get_by_id(item["job_id"]["S"])
        assert job is not None
        return job

    @property
    def item(self) -> Item:
        answer = self._client.get_item(TableName=self._name, Key={"job_id": {"S": JOB_ID}})
        return dict(answer["Item"])


@pytest.fixture
def table(moto_table: str) -> Table:
    return Table(moto_table)


def test_attributes_keep_their_names() -> None:
    assert JobItem.get_attributes().keys() == FULL.keys() | ADDED.keys()


def test_an_item_of_the_release_before_is_a_job_with_all_its_parts(table: Table) -> None:
    assert table.put(FULL) == OF_BEFORE


def test_a_new_job_of_the_release_before_is_one_of_today(table: Table) -> None:
    assert table.put(WAITING) == make_job()


def test_a_job_is_written_as_the_release_before_wrote_it(table: Table) -> None:
    table.jobs.save(full_job())
    assert table.item == FULL | ADDED


def test_a_new_job_has_only_attributes_with_a_value(table: Table) -> None:
    table.jobs.save(make_job())
    assert table.item == WAITING | {"needs": {"N": "1"}}


def test_a_job_of_the_release_before_is_found_by_owner_and_due_time(table: Table) -> None:
    job = table.put(FULL)
    assert table.jobs.list_by_owner("ann", 10) == [job]
    assert list(table.jobs.list_due(NOW + timedelta(seconds=3))) == [job]


def test_a_job_of_the_release_before_is_claimed_and_completed(table: Table) -> None:
    # GIVEN a running job of the release before, whose worker vanished, and that was told of no error yet
    told = {name: value for name, value in FULL.items() if not name.startswith(("error_", "expires_"))}
    job = table.put(told)
    later = NOW + LEASE
    # WHEN a worker of this release takes it over and completes it
    claimed = table.jobs.update_status(changes.claim(job, worker_id="b", lease=LEASE, now=later))
    assert (claimed.lease, claimed.attempt, claimed.crashes) == (Lease("b", later + LEASE), 3, 5)
    done = changes.complete(
        claimed, output=Output("o", "v4", "v5"), frames=30, warnings=(), keep=KEEP, now=later
    )
    completed = table.jobs.update_status(done)
    # THEN it is completed, and its item has the attributes that the release before reads, and no other
    assert completed == table.jobs.get_by_id(JOB_ID)
    assert (completed.status, completed.output) == (JobStatus.COMPLETED, Output("o", "v4", "v5"))
    assert table.item == COMPLETED | {
        "attempt": {"N": "3"},
        "crashes": {"N": "5"},
        "expires_at": {"N": str(int((later + KEEP).timestamp()))},
        "frames_done": {"N": "30"},
        "output_path": {"S": "o"},
        "output_version": {"S": "v4"},
        "output_index_version": {"S": "v5"},
        "updated_at": {"S": "2026-01-01T12:31:15.123456Z"},
        "warnings": {"L": []},
    }


def test_a_job_of_the_release_before_can_be_postponed(table: Table) -> None:
    job = table.put(FULL | {"status": {"S": "pending"}})
    postponed = table.jobs.update_status(changes.postpone(job, now=NOW + LEASE))
    assert postponed.generation == 4
    assert not {"lease_owner", "lease_expires_at", "queued_at"} & table.item.keys()


def test_facts_that_the_file_does_not_tell_are_kept_as_unknown(table: Table) -> None:
    unknown = replace(
        VIDEO, frame_count=None, duration_ms=None, average_frame_rate=None, hdr=None, mirrored=False
    )
    job = full_job()
    table.jobs.save(job)
    begun: dict[str, Any] = {"fingerprint": {"id": "f"}, "progress": Progress(2)}
    table.jobs.update_status(changes.record_opening(job, video=unknown, **begun, now=NOW))
    stored = table.jobs.get_by_id(JOB_ID)
    assert stored is not None
    assert (stored.video, stored.fingerprint, stored.progress) == (unknown, {"id": "f"}, Progress(2))
    assert table.item["video"]["M"]["frame_count"] == {"NULL": True}


def test_a_cost_that_nobody_knows_is_kept_as_unknown(table: Table) -> None:
    job = replace(full_job(), usage=Usage(compute_ms=1500, frames=7, bytes=20))
    table.jobs.save(job)
    assert table.jobs.get_by_id(JOB_ID) == job


def test_warnings_lose_none_where_codes_are_missing(table: Table) -> None:
    # GIVEN an item whose newest warnings a worker of the release before wrote
    messages = {"L": [{"S": "smaller"}, {"S": "short"}]}
    job = table.put(FULL | {"warnings": messages, "warning_codes": {"L": [{"S": "size_changed"}]}})
    assert job.warnings == full_job().warnings


def test_an_error_without_words_is_read(table: Table) -> None:
    worded = {name: value for name, value in FULL.items() if name != "error_message"}
    assert table.put(worded).error == Failure("x", "")


def test_an_attribute_that_this_release_does_not_know_is_passed_over_and_kept(table: Table) -> None:
    # GIVEN an item of a later release
    video = {"M": ADDED["video"]["M"] | {"colour": {"S": "red"}}}
    usage = {"S": ADDED["usage"]["S"].replace("{", '{"colour": "red", ')}
    job = table.put(FULL | ADDED | {"colour": {"S": "red"}, "video": video, "usage": usage})
    # THEN it is read by every way
    assert job == full_job()
    assert table.jobs.list_by_owner("ann", 10) == [job]
    assert list(table.jobs.list_due(NOW + timedelta(seconds=3))) == [job]
    # AND a change leaves alone what it does not know
    table.jobs.update_status(changes.take_back(job, now=NOW + LEASE))
    assert table.item["colour"] == {"S": "red"}
