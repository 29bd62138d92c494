"""What template.yaml says of the workers, with each choice of its parameters."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from video_jobs.domain.changes import QUEUE_RETENTION
from video_jobs.domain.fleet import OUTDATED
from video_jobs.domain.prices import price_file
from video_jobs.domain.rules import GIB, Rules
from video_jobs.settings import ServiceSettings, WorkerSettings
from video_jobs.use_cases.fleet import LEASE
from video_worker.scale_in_protection import PROTECTED_FOR

from tests.support.translated import Deployment
from tools.local_stack.template import Template

GPU, CPU = Deployment(WorkerCompute="gpu"), Deployment(WorkerCompute="cpu")
SERVICES = {"gpu": "VideoWorkerService", "cpu": "VideoWorkerFargateService"}
SETS_NUMBER = ("UploadReceivedFunction", "ReconcileFunction")
SPOT_PERCENT = Template()._raw["Parameters"]["WorkerSpotPercent"]["AllowedValues"]
INSTANCES = ("AWS::EC2::LaunchTemplate", "AWS::AutoScaling::AutoScalingGroup", "AWS::ECS::CapacityProvider")
IMAGE_AND_RESULTS = 10 * GIB


def container(template: Deployment) -> dict[str, Any]:
    (only,) = template.properties("VideoWorkerTaskDefinition")["ContainerDefinitions"]
    assert isinstance(only, dict)
    return only


def environment(template: Deployment) -> dict[str, Any]:
    return {entry["Name"]: entry["Value"] for entry in container(template)["Environment"]}


@pytest.mark.parametrize("compute", SERVICES)
def test_there_is_one_service_and_both_functions_set_its_number(compute: str) -> None:
    template = Deployment(WorkerCompute=compute)
    assert list(template.of_type("AWS::ECS::Service")) == [SERVICES[compute]]
    assert len(template.of_type("AWS::ECS::ClusterCapacityProviderAssociations")) == 1  # a cluster has one
    for function in SETS_NUMBER:
        variables = template.properties(function)["Environment"]["Variables"]
        assert variables["WORKER_SERVICE"] == SERVICES[compute]
        assert variables["WORKER_CLUSTER"] == template.properties(SERVICES[compute])["Cluster"]


@pytest.mark.parametrize("compute", SERVICES)
def test_only_the_first_deployment_sets_a_number(compute: str) -> None:
    """AWS::ECS::Service: without DesiredCount, a create starts one task and an update changes nothing."""
    first = Deployment(WorkerCompute=compute).properties(SERVICES[compute])
    later = Deployment(WorkerCompute=compute, WorkerDesiredCount="keep").properties(SERVICES[compute])
    assert first["DesiredCount"] == 0
    assert "DesiredCount" not in later


def test_a_function_ends_before_its_lease_on_the_number_does() -> None:
    for function in SETS_NUMBER:
        assert Template().timeout_s(function) < LEASE.total_seconds()


def test_nothing_else_sets_the_number() -> None:
    kinds = {spec["Type"] for spec in Template().resources.values()}
    assert [kind for kind in kinds if kind.startswith("AWS::ApplicationAutoScaling::")] == []


def test_a_gpu_worker_has_a_gpu() -> None:
    task = GPU.properties("VideoWorkerTaskDefinition")
    assert task["RequiresCompatibilities"] == ["EC2"]
    assert container(GPU)["ResourceRequirements"] == [{"Type": "GPU", "Value": "1"}]
    assert environment(GPU)["DEVICE"] == "0"
    assert [kind for kind in INSTANCES if not GPU.of_type(kind)] == []


def test_a_cpu_worker_runs_on_fargate_without_instances() -> None:
    task = CPU.properties("VideoWorkerTaskDefinition")
    assert task["RequiresCompatibilities"] == ["FARGATE"]
    assert "ResourceRequirements" not in container(CPU)  # Fargate refuses a task that asks for a GPU
    assert environment(CPU)["DEVICE"] == "cpu"
    assert [kind for kind in INSTANCES if CPU.of_type(kind)] == []
    # AND the task has the size that Fargate asks for: 4 vCPU go with 8 to 30 GiB
    cpu, memory = int(task["Cpu"]), int(task["Memory"])
    assert (cpu, 8 * 1024 <= memory <= 30 * 1024) == (4096, True)
    assert container(CPU)["Cpu"] <= cpu
    assert container(CPU)["MemoryReservation"] <= memory
    assert WorkerSettings(model_path="m").job_memory_mib < memory


def test_the_price_of_fargate_is_that_of_the_task() -> None:
    task, listed = CPU.properties("VideoWorkerTaskDefinition"), price_file()["us-east-1"]["fargate"]
    price = {unit: Decimal(usd) for unit, usd in listed["units"].items()}
    cpu, memory = int(task["Cpu"]) // 1024, int(task["Memory"]) // 1024
    disk = task["EphemeralStorage"]["SizeInGiB"] - 20
    total = cpu * price["vcpu"] + memory * price["memory_gib"] + disk * price["disk_gib_above_20"]
    assert total == Decimal(listed["usd_per_hour"])


@pytest.mark.parametrize(
    ("chosen", "price"),
    [
        ({"WorkerCompute": "gpu"}, "0.526"),
        ({"WorkerCompute": "gpu", "WorkerInstanceType": "g5.xlarge"}, "1.006"),
        ({"WorkerCompute": "cpu", "WorkerInstanceType": "g5.xlarge"}, "0.23748"),
        ({"WorkerCompute": "gpu", "WorkerPricePerHour": "0.2"}, "0.2"),
    ],
)
def test_a_worker_knows_what_it_costs(chosen: dict[str, str], price: str) -> None:
    given = environment(Deployment(**chosen))
    named = {name: str(given[name]) for name in ("WORKER_INSTANCE_TYPE", "WORKER_PRICE_PER_HOUR")}
    settings = ServiceSettings.from_environment({"TABLE_NAME": "jobs", "BUCKET_NAME": "media", **named})
    assert settings.rules.worker_usd_per_hour == Decimal(price)


@pytest.mark.parametrize("chosen", [{}, {"WorkerHelpFromParts": "20"}], ids=["by default", "chosen"])
def test_a_worker_knows_from_when_on_it_asks_for_help(chosen: dict[str, str]) -> None:
    given = str(environment(Deployment(**chosen))["HELP_FROM_PARTS"])
    settings = {"TABLE_NAME": "jobs", "BUCKET_NAME": "media", "HELP_FROM_PARTS": given}
    rules = ServiceSettings.from_environment(settings).rules
    assert rules.help_from_parts == int(chosen.get("WorkerHelpFromParts", Rules().help_from_parts))


def test_the_disk_of_a_worker_holds_the_largest_upload_twice() -> None:
    needed_gib = (2 * Rules().max_multipart_bytes + IMAGE_AND_RESULTS) / GIB
    fargate_gib = CPU.properties("VideoWorkerTaskDefinition")["EphemeralStorage"]["SizeInGiB"]
    assert needed_gib <= fargate_gib <= 200  # Fargate has no more
    assert "EphemeralStorage" not in GPU.properties("VideoWorkerTaskDefinition")
    (disk,) = GPU.properties("VideoWorkerLaunchTemplate")["LaunchTemplateData"]["BlockDeviceMappings"]
    assert needed_gib <= disk["Ebs"]["VolumeSize"]


@pytest.mark.parametrize("percent", SPOT_PERCENT)
def test_the_share_of_spot_is_the_same_for_instances_and_fargate(percent: str) -> None:
    choice = {"WorkerSpotPercent": percent}
    group = Deployment(WorkerCompute="gpu", **choice).properties("VideoWorkerInstances")
    shares = group["MixedInstancesPolicy"]["InstancesDistribution"]
    assert shares["OnDemandPercentageAboveBaseCapacity"] == 100 - int(percent)
    service = Deployment(WorkerCompute="cpu", **choice).properties("VideoWorkerFargateService")
    weights = {one["CapacityProvider"]: one["Weight"] for one in service["CapacityProviderStrategy"]}
    assert weights["FARGATE_SPOT"] / sum(weights.values()) == int(percent) / 100


def test_a_worker_that_is_stopped_has_the_time_to_give_its_job_back() -> None:
    for template in (GPU, CPU):
        stop_timeout_s = container(template)["StopTimeout"]
        assert WorkerSettings(model_path="m").shutdown_grace_s < stop_timeout_s <= 120  # Fargate's most


def test_a_release_replaces_busy_workers_before_cloudformation_gives_up() -> None:
    """CloudFormation waits three hours for a service to become stable."""
    waits_min = 3 * 60
    ends_min = (OUTDATED + PROTECTED_FOR).total_seconds() / 60
    assert ends_min + WorkerSettings(model_path="m").shutdown_grace_s / 60 < waits_min
    for compute, name in SERVICES.items():
        service = Deployment(WorkerCompute=compute).properties(name)
        assert service["DeploymentConfiguration"] == {"MinimumHealthyPercent": 0, "MaximumPercent": 200}


def test_reconcile_knows_all_that_it_decides_by() -> None:
    variables = GPU.properties("ReconcileFunction")["Environment"]["Variables"]
    assert {"WORKER_MAX_COUNT", "WORKER_BACKLOG_PER_TASK", "WORKER_LONGEST_WAIT_S", "QUEUE_ORDER"} <= set(
        variables
    )
    retention_s = GPU.properties("JobsQueue")["MessageRetentionPeriod"]
    assert QUEUE_RETENTION.total_seconds() < retention_s
