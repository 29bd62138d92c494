"""The whole service on moto: what template.yaml deploys, jobs in every state, messages in every queue."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from typing import Any

import boto3
import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.sqs.models import sqs_backends
from video_jobs.adapters.dynamodb import DynamoDbJobRepository
from video_jobs.domain.job import Job, JobStatus, UploadState
from video_jobs.domain.keys import part_key, results_index_key, results_key, video_key

from tests.support.moto_stacks import teach_moto_whole_stacks
from tools.local_stack.template import Template

REGION = "us-east-1"
STACK = "video-jobs"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
WORKERS = 2
_TRUST = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda"}, "Action": "sts:AssumeRole"}]}
_MACHINE = {"ImageId": "ami-12c6146b", "InstanceType": "g4dn.xlarge"}
_DAY = timedelta(days=1)
_ACCEPTED: dict[str, Any] = {"upload_state": UploadState.ACCEPTED, "generation": 1, "queued_at": NOW}
_RUNNING = _ACCEPTED | {"status": JobStatus.RUNNING, "attempt": 1, "lease_owner": "w"}
STATES: dict[str, dict[str, Any]] = {
    "awaiting": {"due_at": NOW + _DAY},
    "queued": _ACCEPTED | {"due_at": NOW + _DAY},
    "running": _RUNNING | {"lease_expires_at": NOW + 1000 * _DAY, "due_at": NOW + 1000 * _DAY},
    "abandoned": _RUNNING | {"lease_expires_at": NOW - _DAY, "due_at": NOW - _DAY},
    "completed": _ACCEPTED | {"status": JobStatus.COMPLETED, "frames_done": 40},
    "failed": _ACCEPTED | {"status": JobStatus.FAILED, "error_code": "unreadable_video"},
    "cancelled": {"status": JobStatus.FAILED, "error_code": "cancelled"},
}
JOB_IDS = {state: f"{number}1111111-1111-4111-8111-111111111111" for number, state in enumerate(STATES)}
OPEN = {"awaiting", "queued", "running", "abandoned"}


def use_moto(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials and region of moto's account; no machine images are loaded, which takes a second."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, REGION)
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)


def client(service: str) -> Any:
    return _client(service, os.environ.get("AWS_ENDPOINT_URL"))


@cache
def _client(service: str, endpoint_url: str | None) -> Any:
    return boto3.client(service, region_name=REGION, endpoint_url=endpoint_url)  # type: ignore[call-overload]


@dataclass
class Deployed:
    """The names of the deployed resources."""

    template: Template
    ids: dict[str, str]

    @property
    def table(self) -> str:
        return self.ids["JobsTable"]

    @property
    def bucket(self) -> str:
        return self.ids["MediaBucket"]

    @property
    def api(self) -> str:
        return self.ids["HttpApi"]

    @cached_property
    def jobs(self) -> DynamoDbJobRepository:
        return DynamoDbJobRepository(self.table, REGION)

    def items(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = client("dynamodb").scan(TableName=self.table)["Items"]
        return sorted(found, key=lambda item: item["job_id"]["S"])

    def objects(self) -> list[tuple[str, str, bool]]:
        found = client("s3").list_object_versions(Bucket=self.bucket)
        entries = [*found.get("Versions", []), *found.get("DeleteMarkers", [])]
        return sorted((entry["Key"], entry["VersionId"], entry["IsLatest"]) for entry in entries)

    def fill(self) -> None:
        for number, state in enumerate(STATES):
            self._add_job(state, number)
        s3 = client("s3")
        gone = video_key("f1111111-1111-4111-8111-111111111111")
        s3.put_object(Bucket=self.bucket, Key=gone, Body=b"deleted by its owner")
        s3.delete_object(Bucket=self.bucket, Key=gone)
        for name in self.template.logical_ids("AWS::SQS::Queue"):
            for number in range(3):
                self._send(name, f"{name} {number}")

    def _add_job(self, state: str, number: int) -> None:
        job_id, s3 = JOB_IDS[state], client("s3")
        values: dict[str, Any] = {
            "input_path": video_key(job_id),
            "owner": f"owner-{number % 2}",
            "filename": "Überfahrt.mp4",
        }
        if state not in ("awaiting", "cancelled"):
            stored = s3.put_object(Bucket=self.bucket, Key=video_key(job_id), Body=f"video {state}".encode())
            values["input_version"] = stored["VersionId"]
        if state == "queued":  # the client sent another file after the one that was accepted
            s3.put_object(Bucket=self.bucket, Key=video_key(job_id), Body=b"another")
        if state == "running":
            s3.put_object(Bucket=self.bucket, Key=part_key(job_id, "f", 0), Body=b"a part")
        if state == "completed":
            for key, name in ((results_key(job_id), "output"), (results_index_key(job_id), "output_index")):
                stored = s3.put_object(Bucket=self.bucket, Key=key, Body=f"{name} of {state}".encode())
                values[f"{name}_version"] = stored["VersionId"]
            values["output_path"] = results_key(job_id)
        times = {"created_at": NOW + timedelta(minutes=number), "updated_at": NOW}
        self.jobs.save(Job(**(values | times | STATES[state] | {"job_id": job_id})))

    def _send(self, queue: str, body: str) -> None:
        values: dict[str, Any] = {"MessageBody": body}
        if self.ids[queue].endswith(".fifo"):
            generation = {"DataType": "Number", "StringValue": "1"}
            values |= {"MessageGroupId": "all", "MessageDeduplicationId": body}
            values["MessageAttributes"] = {"generation": generation}
        client("sqs").send_message(QueueUrl=self.ids[queue], **values)


def deploy(policy: str = "Retain") -> Deployed:
    """Create the stack in the AWS that boto3 reaches, fill it, and let the functions take messages.

    Parameters
    ----------
    policy
        The ``DeletionPolicy`` of what keeps data.
    """
    teach_moto_whole_stacks()
    template = Template()
    body = _template(template, policy)
    cloudformation = client("cloudformation")
    cloudformation.create_stack(StackName=STACK, TemplateBody=json.dumps(body, default=str))
    deployed = Deployed(template, _ids(cloudformation))
    template.bind(deployed.ids)
    client("s3").put_bucket_versioning(Bucket=deployed.bucket, VersioningConfiguration={"Status": "Enabled"})
    deployed.fill()
    _scale(deployed.ids["VideoWorkerService"])
    _start_worker(deployed.ids)
    # moto's functions would take the messages as they are sent.
    body["Resources"] |= _mappings(template)
    cloudformation.update_stack(StackName=STACK, TemplateBody=json.dumps(body, default=str))
    deployed.ids |= _ids(cloudformation)
    return deployed


def _ids(cloudformation: Any) -> dict[str, str]:
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=STACK)
    return {
        entry["LogicalResourceId"]: entry["PhysicalResourceId"]
        for page in pages
        for entry in page["StackResourceSummaries"]
    }


def _scale(service_arn: str) -> None:
    client("application-autoscaling").register_scalable_target(
        ServiceNamespace="ecs",
        ScalableDimension="ecs:service:DesiredCount",
        ResourceId=service_arn.split(":", 5)[5],
        MinCapacity=0,
        MaxCapacity=4,
    )


def _start_worker(ids: Mapping[str, str]) -> None:
    network = {"awsvpcConfiguration": {"subnets": ["subnet-0"]}}
    client("ecs").run_task(
        cluster=ids["VideoWorkerCluster"],
        taskDefinition=ids["VideoWorkerTaskDefinition"],
        launchType="FARGATE",
        networkConfiguration=network,
    )


def _template(template: Template, policy: str) -> dict[str, Any]:
    stored = json.loads(template.stored_resources_json())
    for spec in stored["Resources"].values():
        if spec["Type"] != "AWS::SQS::Queue":
            spec["DeletionPolicy"] = policy
    routes = [f"{route.method} {route.path}" for route in template.routes()]
    api = {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Routes": routes}}
    computed = _functions(template) | _workers()
    return {**stored, "Resources": {**stored["Resources"], "HttpApi": api, **computed}}


def _functions(template: Template) -> dict[str, Any]:
    made: dict[str, Any] = {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": _TRUST}}
    }
    for name in template.functions():
        properties = {"Code": {"ZipFile": "pass"}, "Handler": "index.handler", "Runtime": "python3.11"}
        role = {"Role": {"Fn::GetAtt": ["Role", "Arn"]}}
        made[name] = {"Type": "AWS::Lambda::Function", "Properties": properties | role}
    for source in template.schedules():
        target = {"Id": "function", "Arn": {"Fn::GetAtt": [source.function, "Arn"]}}
        rule = {"ScheduleExpression": "rate(1 minute)", "State": "ENABLED", "Targets": [target]}
        made[f"{source.function}EveryMinute"] = {"Type": "AWS::Events::Rule", "Properties": rule}
    return made


def _mappings(template: Template) -> dict[str, Any]:
    made = {}
    for source in template.queue_sources():
        properties: dict[str, Any] = {"EventSourceArn": {"Fn::GetAtt": [source.queue, "Arn"]}}
        made[f"{source.function}{source.queue}"] = properties | {"FunctionName": {"Ref": source.function}}
    for stream in template.stream_sources():
        properties = {"EventSourceArn": {"Fn::GetAtt": [stream.table, "StreamArn"]}}
        properties |= {"FunctionName": {"Ref": stream.function}, "StartingPosition": "TRIM_HORIZON"}
        made[f"{stream.function}{stream.table}"] = properties
    kind = "AWS::Lambda::EventSourceMapping"
    return {name: {"Type": kind, "Properties": properties} for name, properties in made.items()}


def _workers() -> dict[str, Any]:
    container = {"Name": "worker", "Image": "none", "Memory": 1}
    task = {"Family": "worker", "ContainerDefinitions": [container]}
    service = {
        "Cluster": {"Ref": "VideoWorkerCluster"},
        "TaskDefinition": {"Ref": "VideoWorkerTaskDefinition"},
        "DesiredCount": WORKERS,
    }
    instances = {
        "LaunchConfigurationName": {"Ref": "Launch"},
        "AvailabilityZones": [f"{REGION}a"],
        "MinSize": "0",
        "MaxSize": "4",
        "DesiredCapacity": "1",
        "NewInstancesProtectedFromScaleIn": True,
    }
    return {
        "VideoWorkerCluster": {"Type": "AWS::ECS::Cluster", "Properties": {}},
        "VideoWorkerTaskDefinition": {"Type": "AWS::ECS::TaskDefinition", "Properties": task},
        "VideoWorkerService": {"Type": "AWS::ECS::Service", "Properties": service},
        "Launch": {"Type": "AWS::AutoScaling::LaunchConfiguration", "Properties": _MACHINE},
        "VideoWorkerInstances": {"Type": "AWS::AutoScaling::AutoScalingGroup", "Properties": instances},
    }


def messages() -> dict[str, list[str]]:
    """Body, group and generation of each queue's messages, looked at without receiving them."""
    queues = sqs_backends[DEFAULT_ACCOUNT_ID][REGION].queues.values()
    return {queue.name: sorted(map(_text, queue._messages)) for queue in queues}


def deduplication_ids() -> set[str | None]:
    """Those of the messages that are in the queues."""
    queues = sqs_backends[DEFAULT_ACCOUNT_ID][REGION].queues.values()
    return {message.deduplication_id for queue in queues for message in queue._messages if message.group_id}


def _text(message: Any) -> str:
    generation = message.message_attributes.get("generation", {}).get("StringValue")
    return f"{message.body} {message.group_id} {generation}"


def snapshot(deployed: Deployed) -> dict[str, Any]:
    """All that a rollback could change."""
    functions, ecs, cluster = client("lambda"), client("ecs"), deployed.ids["VideoWorkerCluster"]
    services = ecs.describe_services(cluster=cluster, services=[deployed.ids["VideoWorkerService"]])
    scaling = client("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")
    return {
        "stack": client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"],
        "items": deployed.items(),
        "objects": deployed.objects(),
        "messages": messages(),
        "stages": client("apigatewayv2").get_stages(ApiId=deployed.api)["Items"],
        "mappings": [
            (mapping["EventSourceArn"], mapping["State"])
            for mapping in functions.list_event_source_mappings()["EventSourceMappings"]
        ],
        "rules": client("events").list_rules()["Rules"],
        "workers": [service["desiredCount"] for service in services["services"]],
        "scaling": [(it["MinCapacity"], it["MaxCapacity"]) for it in scaling["ScalableTargets"]],
        "instances": [
            (group["MinSize"], group["DesiredCapacity"], group["NewInstancesProtectedFromScaleIn"])
            for group in client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
        ],
        "tasks": ecs.list_tasks(cluster=cluster)["taskArns"],
    }


def empty_bucket(name: str) -> None:
    found = client("s3").list_object_versions(Bucket=name)
    for entry in [*found.get("Versions", []), *found.get("DeleteMarkers", [])]:
        client("s3").delete_object(Bucket=name, Key=entry["Key"], VersionId=entry["VersionId"])
    client("s3").delete_bucket(Bucket=name)
