"""AWS resources for tests, made from template.yaml."""

from __future__ import annotations

import copyreg
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from threading import Condition
from typing import Any

import boto3
from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID

from tools.local_stack.template import Template

REGION = "us-east-1"
STACK = "tests"
_STORES = {"dynamodb": REGION, "sqs": REGION, "s3": "aws", "ecs": REGION}
"""Where moto keeps what the stack creates: service and region."""

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
    cloudformation = boto3.client("cloudformation", region_name=REGION)
    cloudformation.create_stack(StackName=STACK, TemplateBody=template.stored_resources_json())
    created = cloudformation.describe_stack_resources(StackName=STACK)["StackResources"]
    ids = {item["LogicalResourceId"]: item["PhysicalResourceId"] for item in created}
    s3: Any = boto3.client("s3", region_name=REGION)
    s3.put_bucket_versioning(
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
