"""The deployed stack: what is in it, and what of it stays when it is deleted."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
from botocore.exceptions import ClientError

from tools.rollback.record import Record, RefusedError, Resource

TABLE = "AWS::DynamoDB::Table"
BUCKET = "AWS::S3::Bucket"
QUEUE = "AWS::SQS::Queue"
KEEPS_DATA = (TABLE, BUCKET)


class Aws:
    """boto3 clients, made once; region, credentials and endpoint come from the environment."""

    @cache  # noqa: B019 - one object a run
    def client(self, service: str) -> Any:
        """The client of a service."""
        return boto3.client(service)  # type: ignore[call-overload]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A stack that is there, or was; ``status`` is empty where it is gone."""

    name: str
    stack_id: str
    status: str
    resources: tuple[Resource, ...]
    retained: frozenset[str]

    @property
    def exists(self) -> bool:
        """Whether the stack is there."""
        return bool(self.status)

    def of(self, *kinds: str) -> list[Resource]:
        """Its resources of these types."""
        return [resource for resource in self.resources if resource.kind in kinds]

    def remember(self, record: Record) -> None:
        """Note it before the first change, so that a later run knows the names of what stays."""
        if record.stack_id or not self.exists:
            return
        record.stack_name, record.stack_id = self.name, self.stack_id
        record.resources, record.retained = list(self.resources), sorted(self.retained)
        record.save()


def find_deployment(aws: Aws, name: str, record: Record) -> Deployment:
    """The stack as it is, or as the record remembers it.

    Raises
    ------
    RefusedError
        If the record is another deployment's, or the stack is protected from deletion.
    """
    if record.stack_name not in ("", name):
        raise RefusedError(f"The folder holds the rollback of {record.stack_name}; give another --export-to")
    stack = _described(aws, name)
    if stack is None:
        return _gone(name, record)
    if record.stack_id not in ("", stack["StackId"]):
        raise RefusedError(
            f"{name} was deployed anew since this folder was written; give another --export-to"
        )
    if stack.get("EnableTerminationProtection"):
        raise RefusedError(f"{name} is protected: switch its termination protection off first")
    return Deployment(
        name=name,
        stack_id=stack["StackId"],
        status=stack["StackStatus"],
        resources=tuple(_resources(aws, name)),
        retained=_retained(aws, name),
    )


def _gone(name: str, record: Record) -> Deployment:
    return Deployment(
        name=name,
        stack_id=record.stack_id,
        status="",
        resources=tuple(record.resources),
        retained=frozenset(record.retained),
    )


def _described(aws: Aws, name: str) -> dict[str, Any] | None:
    try:
        stack: dict[str, Any] = aws.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as exc:
        if "does not exist" in str(exc):
            return None
        raise
    return None if stack["StackStatus"] == "DELETE_COMPLETE" else stack


def _resources(aws: Aws, name: str) -> list[Resource]:
    pages = aws.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=name)
    return [
        Resource(entry["LogicalResourceId"], entry["ResourceType"], entry["PhysicalResourceId"])
        for page in pages
        for entry in page["StackResourceSummaries"]
        # What an earlier, failed deletion took away is listed, too.
        if entry.get("PhysicalResourceId") and entry["ResourceStatus"] != "DELETE_COMPLETE"
    ]


def _retained(aws: Aws, name: str) -> frozenset[str]:
    answer = aws.client("cloudformation").get_template(StackName=name, TemplateStage="Processed")
    body = answer["TemplateBody"]
    template = json.loads(body) if isinstance(body, str) else body
    return frozenset(
        logical_id
        for logical_id, spec in template["Resources"].items()
        if str(spec.get("DeletionPolicy", "Delete")).startswith("Retain")
    )
