"""One contract for the measured speeds: memory, moto, dynalite."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import boto3
import pytest
from video_jobs.adapters.aws.speed_items import DynamoDbSpeedRepository
from video_jobs.adapters.aws.state_item import StateItem, bound_model
from video_jobs.adapters.local.memory_speeds import MemorySpeedRepository
from video_jobs.domain.errors import TransientError
from video_jobs.domain.speeds import SPEEDS_KEPT, Speed
from video_jobs.speed_ports import SpeedRepository

from tests.contract.conftest import MOTO
from tests.contract.jobs import LEASE, NOW

SPEED = Speed(
    pipeline_id="yolo_ocr",
    fingerprint="f1",
    size_class="1280x720",
    texts=frozenset({"any"}),
    measured_at=NOW,
    counters={"jobs": 1, "frames": 40, "compute_ms2": 10**30, "frame0_133": 40},
)


@pytest.fixture(params=["memory", MOTO, "dynalite"])
def speeds(request: pytest.FixtureRequest) -> SpeedRepository:
    if request.param == "memory":
        return MemorySpeedRepository()
    return DynamoDbSpeedRepository(request.getfixturevalue(f"{request.param}_state_table"), "us-east-1")


def test_at_first_nothing_is_known(speeds: SpeedRepository) -> None:
    assert speeds.list_speeds("yolo_ocr") == []


def test_what_was_added_is_listed_as_it_was(speeds: SpeedRepository) -> None:
    speeds.add(SPEED)
    assert speeds.list_speeds("yolo_ocr") == [SPEED]


def test_what_comes_later_is_added_up(speeds: SpeedRepository) -> None:
    speeds.add(SPEED)
    later = replace(
        SPEED,
        texts=frozenset({"ppocr"}),
        measured_at=NOW + LEASE,
        counters={"jobs": 1, "frames": 5, "frame0_133": 5, "frame2_90": 7},
    )
    speeds.add(later)
    assert speeds.list_speeds("yolo_ocr") == [
        replace(
            later,
            texts=frozenset({"any", "ppocr"}),
            counters={"jobs": 2, "frames": 45, "compute_ms2": 10**30, "frame0_133": 45, "frame2_90": 7},
        )
    ]


def test_pipelines_fingerprints_and_classes_are_told_apart(speeds: SpeedRepository) -> None:
    others = [
        replace(SPEED, fingerprint="f2"),
        replace(SPEED, size_class="larger"),
        replace(SPEED, pipeline_id="yolo"),
    ]
    for speed in (SPEED, *others):
        speeds.add(speed)
    listed = speeds.list_speeds("yolo_ocr")
    assert sorted((one.fingerprint, one.size_class) for one in listed) == [
        ("f1", "1280x720"),
        ("f1", "larger"),
        ("f2", "1280x720"),
    ]
    assert speeds.list_speeds("yolo") == [others[-1]]


@pytest.mark.parametrize("speeds", ["memory", "dynalite"], indirect=True)
def test_workers_that_add_at_once_lose_nothing(speeds: SpeedRepository) -> None:
    """moto itself now and then loses one of two updates that threads make at once."""
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: speeds.add(SPEED), range(20)))
    (speed,) = speeds.list_speeds("yolo_ocr")
    assert (speed.counters["jobs"], speed.counters["frames"]) == (20, 800)


def test_all_pages_are_read(moto_state_table: str) -> None:
    """A page of DynamoDB has at most 1 MiB; each of these items has a third of that."""
    speeds = DynamoDbSpeedRepository(moto_state_table, "us-east-1")
    for number in range(4):
        speeds.add(replace(SPEED, fingerprint=f"f{number}"))
        boto3.client("dynamodb", region_name="us-east-1").update_item(
            TableName=moto_state_table,
            Key={"pk": {"S": "speed#yolo_ocr"}, "sk": {"S": f"f{number}#1280x720"}},
            UpdateExpression="SET filler = :filler",
            ExpressionAttributeValues={":filler": {"S": "x" * 350_000}},
        )
    assert len(speeds.list_speeds("yolo_ocr")) == 4


def test_an_item_is_dropped_when_no_job_has_added_to_it_for_long(moto_state_table: str) -> None:
    DynamoDbSpeedRepository(moto_state_table, "us-east-1").add(SPEED)
    item = bound_model(StateItem, moto_state_table, "us-east-1").get("speed#yolo_ocr", "f1#1280x720")
    assert item.expires_at == (NOW + SPEEDS_KEPT).replace(microsecond=0)


def test_a_table_that_is_away_is_a_transient_error(aws: None) -> None:
    nowhere = DynamoDbSpeedRepository("nowhere", "us-east-1")
    for call in (lambda: nowhere.add(SPEED), lambda: nowhere.list_speeds("yolo_ocr")):
        with pytest.raises(TransientError, match="ResourceNotFoundException"):
            call()
