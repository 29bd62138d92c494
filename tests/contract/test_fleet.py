"""One contract for the fleet (memory, ECS on moto) and for its record (memory, moto, dynalite)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import timedelta

import boto3
import pytest
from botocore.exceptions import ClientError
from video_jobs.adapters.aws.ecs import EcsWorkerFleet
from video_jobs.adapters.aws.fleet_item import DynamoDbFleetRepository
from video_jobs.adapters.local.memory_fleet import MemoryFleetRepository, MemoryWorkerFleet
from video_jobs.bootstrap import ecs_client
from video_jobs.domain.errors import ConflictError, FleetError
from video_jobs.domain.fleet import FleetDecision, FleetRecord
from video_jobs.fleet_ports import FleetRepository, WorkerFleet, WorkerService

from tests.contract.conftest import MOTO, REGION
from tests.contract.jobs import LEASE, NOW

FULL = FleetRecord(
    decision=FleetDecision(workers=3, raised_at=NOW, spare_since=NOW + LEASE),
    woken_at=NOW + 2 * LEASE,
    task_definition="worker:7",
    task_definition_since=NOW + 3 * LEASE,
)
"""A record in which nothing has its default."""


@pytest.fixture(params=["memory", MOTO, "dynalite"])
def records(request: pytest.FixtureRequest) -> FleetRepository:
    if request.param == "memory":
        return MemoryFleetRepository()
    return DynamoDbFleetRepository(request.getfixturevalue(f"{request.param}_state_table"), "us-east-1")


def test_the_full_record_has_no_default_left() -> None:
    for part in (FULL, FULL.decision):
        assert [one.name for one in fields(part) if getattr(part, one.name) == one.default] == []
    assert [one.name for one in fields(FULL) if is_dataclass(getattr(FULL, one.name))] == ["decision"]


def test_the_first_record_is_empty(records: FleetRepository) -> None:
    assert records.read() == FleetRecord()
    assert records.take("a", until=NOW + LEASE, now=NOW) == FleetRecord()


@pytest.mark.parametrize("record", [FULL, FleetRecord()], ids=["full", "empty"])
def test_what_is_settled_is_read_and_taken_as_it_was(records: FleetRepository, record: FleetRecord) -> None:
    for settled in (FULL, record):  # so that an attribute without a value is taken away
        records.take("a", until=NOW + LEASE, now=NOW)
        records.settle("a", settled)
    assert records.read() == record
    assert records.take("b", until=NOW + LEASE, now=NOW) == record


def test_a_live_lease_keeps_others_out_until_it_is_settled_or_ends(records: FleetRepository) -> None:
    records.take("a", until=NOW + LEASE, now=NOW)
    with pytest.raises(ConflictError):
        records.take("b", until=NOW + 2 * LEASE, now=NOW + LEASE - timedelta(microseconds=1))
    records.take("b", until=NOW + 2 * LEASE, now=NOW + LEASE)
    # AND who lost the lease changes nothing
    with pytest.raises(ConflictError):
        records.settle("a", FULL)
    assert records.read() == FleetRecord()
    records.settle("b", FULL)
    records.take("c", until=NOW + 2 * LEASE, now=NOW + LEASE)


def test_settling_needs_a_lease(records: FleetRepository) -> None:
    with pytest.raises(ConflictError):
        records.settle("a", FULL)
    assert records.read() == FleetRecord()


def test_a_table_that_is_away_is_an_error_of_the_fleet(aws: None) -> None:
    records = DynamoDbFleetRepository("nowhere", "us-east-1")
    calls: list[Callable[[], object]] = [
        records.read,
        lambda: records.take("a", until=NOW, now=NOW),
        lambda: records.settle("a", FULL),
    ]
    for call in calls:
        with pytest.raises(FleetError, match="ResourceNotFoundException"):
            call()


@dataclass(frozen=True)
class FleetUnderTest:
    """A fleet, and how a release replaces its task definition."""

    fleet: WorkerFleet
    release: Callable[[], None]


def ecs_fleet() -> FleetUnderTest:
    """A service that was created with no task."""
    client = boto3.client("ecs", region_name=REGION)
    container = {"name": "worker", "image": "none", "memory": 1}

    def register() -> str:
        """The ARN, which is what ECS itself shows even if the service was given a name."""
        answer = client.register_task_definition(family="worker", containerDefinitions=[container])
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    client.create_cluster(clusterName="c")
    client.create_service(cluster="c", serviceName="s", taskDefinition=register(), desiredCount=0)

    def release() -> None:
        client.update_service(cluster="c", service="s", taskDefinition=register())

    return FleetUnderTest(EcsWorkerFleet(lambda: ecs_client(REGION), "c", "s"), release)


@pytest.fixture(params=["memory", "ecs"])
def made(request: pytest.FixtureRequest) -> FleetUnderTest:
    if request.param == "ecs":
        request.getfixturevalue("aws")
        return ecs_fleet()
    memory = MemoryWorkerFleet()

    def release() -> None:
        memory.service = replace(memory.service, task_definition="worker:2")

    return FleetUnderTest(memory, release)


def test_a_fleet_has_as_many_workers_as_were_asked_for_last(made: FleetUnderTest) -> None:
    assert made.fleet.is_managed
    assert made.fleet.look() == WorkerService(0, "worker:1")
    made.fleet.set_workers(3)
    assert made.fleet.look() == WorkerService(3, "worker:1", running=3)
    # AND a release changes what workers are started from, not their number
    made.release()
    assert made.fleet.look() == WorkerService(3, "worker:2", running=3)
    made.fleet.set_workers(0)
    assert made.fleet.look() == WorkerService(0, "worker:2")


def test_without_a_service_nothing_is_managed_and_no_client_is_made() -> None:
    assert not EcsWorkerFleet(lambda: pytest.fail("a client was made"), "", "").is_managed


@pytest.mark.parametrize("cluster", ["c", "other"])
def test_a_service_that_is_gone_is_an_error_of_the_fleet(aws: None, cluster: str) -> None:
    ecs_fleet()
    gone = EcsWorkerFleet(lambda: ecs_client(REGION), cluster, "gone")
    with pytest.raises(FleetError):
        gone.look()
    with pytest.raises(FleetError) as raised:
        gone.set_workers(1)
    assert isinstance(raised.value.__cause__, ClientError)


def test_a_service_that_is_being_deleted_is_an_error_of_the_fleet(aws: None) -> None:
    made = ecs_fleet()
    boto3.client("ecs", region_name=REGION).delete_service(cluster="c", service="s", force=True)
    with pytest.raises(FleetError):
        made.fleet.look()
