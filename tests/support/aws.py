"""AWS resources for tests, made from template.yaml."""

from __future__ import annotations

import copyreg
import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import cache, partial
from threading import Condition
from typing import Any

import boto3
from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID
from video_jobs.domain.job_events import SOURCE

from tools.local_stack.template import Template

REGION = "us-east-1"
STACK = "tests"
_STORES = {"dynamodb": REGION, "sqs": REGION, "s3": "aws", "ecs": REGION}
"""Where moto keeps what the stack creates: service and region."""

_client: Any = partial(boto3.client, region_name=REGION)

copyreg.pickle(Condition, lambda _: (Condition, ()))  # each copy of a queue has a lock of its own


@dataclass(frozen=True)
class Resources:
    """What the template's stored resources are called."""

    template: Template
    ids: dict[str, str]

    def id(self, logical_id: str) -> str:
        return self.ids[logical_id]


def create_resources() -> Resources:
    """Tables, bucket and queues of the template, all empty, in the moto of this process.

    CloudFormation creates them once; each further call puts back a copy of that first state.
    """
    ids, stores = _created_once()
    for service, store in stores.items():
        current = _store(service)
        current.__dict__ = deepcopy(store.__dict__, {id(store): current})
    template = Template()
    template.bind(ids | {"AWS::Region": REGION, "AWS::StackName": STACK})
    return Resources(template, ids)


@cache
def _created_once() -> tuple[dict[str, str], dict[str, Any]]:
    template = Template()
    cloudformation = _client("cloudformation")
    cloudformation.create_stack(StackName=STACK, TemplateBody=template.stored_resources_json())
    created = cloudformation.describe_stack_resources(StackName=STACK)["StackResources"]
    ids = {item["LogicalResourceId"]: item["PhysicalResourceId"] for item in created}
    _client("s3").put_bucket_versioning(
        Bucket=ids["MediaBucket"],
        VersioningConfiguration=template.resources["MediaBucket"]["Properties"]["VersioningConfiguration"],
    )
    ids |= _worker_service()
    return ids, {service: deepcopy(_store(service)) for service in _STORES}


def _worker_service() -> dict[str, str]:
    """The service of the workers, without the machines that it would need on AWS; no task runs."""
    ecs = boto3.client("ecs", region_name=REGION)
    container = {"name": "worker", "image": "none", "memory": 1}
    task = ecs.register_task_definition(family="worker", containerDefinitions=[container])["taskDefinition"]
    cluster = ecs.create_cluster(clusterName=STACK)["cluster"]["clusterName"]
    service = ecs.create_service(
        cluster=cluster, serviceName="worker", taskDefinition=task["taskDefinitionArn"], desiredCount=0
    )
    return {"VideoWorkerCluster": cluster, "VideoWorkerService": service["service"]["serviceArn"]}


def _store(service: str) -> Any:
    return get_backend(service)[DEFAULT_ACCOUNT_ID][_STORES[service]]  # type: ignore[call-overload]


def stream_of(table_name: str) -> dict[str, Any]:
    """All changes of a table, as Lambda hands them to a function."""
    table = _client("dynamodb").describe_table(TableName=table_name)["Table"]
    streams, records = _client("dynamodbstreams"), []
    arn = table["LatestStreamArn"]
    (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    where = streams.get_shard_iterator(
        StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    while found := (answer := streams.get_records(ShardIterator=where))["Records"]:
        records += found
        where = answer["NextShardIterator"]
    event: dict[str, Any] = json.loads(json.dumps({"Records": records}, default=str))
    return event


class Subscriber:
    """A queue behind a rule of the default event bus."""

    def __init__(self, client: Callable[[str], Any] = _client) -> None:
        self._sqs, bus = client("sqs"), client("events")
        self._url = self._sqs.create_queue(QueueName="subscriber")["QueueUrl"]
        queue = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]
        bus.put_rule(Name="ends", EventPattern=json.dumps({"source": [SOURCE]}))
        bus.put_targets(Rule="ends", Targets=[{"Id": "1", "Arn": queue["QueueArn"]}])

    def received(self) -> list[dict[str, Any]]:
        answer = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10, WaitTimeSeconds=0)
        return [json.loads(message["Body"]) for message in answer.get("Messages", [])]
