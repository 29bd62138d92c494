"""AWS resources for tests, made from template.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import boto3

from tools.local_stack.template import Template

REGION = "us-east-1"


@dataclass(frozen=True)
class Resources:
    """What the template's stored resources are called."""

    template: Template
    ids: dict[str, str]

    def id(self, logical_id: str) -> str:
        return self.ids[logical_id]


def create_resources() -> Resources:
    """Create tables, bucket and queues in the AWS that boto3 reaches."""
    template = Template()
    cloudformation = boto3.client("cloudformation", region_name=REGION)
    cloudformation.create_stack(StackName="tests", TemplateBody=template.stored_resources_json())
    created = cloudformation.describe_stack_resources(StackName="tests")["StackResources"]
    ids = {item["LogicalResourceId"]: item["PhysicalResourceId"] for item in created}
    template.bind(ids | {"AWS::Region": REGION, "AWS::StackName": "tests"})
    s3: Any = boto3.client("s3", region_name=REGION)
    s3.put_bucket_versioning(
        Bucket=ids["MediaBucket"],
        VersioningConfiguration=template.resources["MediaBucket"]["Properties"]["VersioningConfiguration"],
    )
    return Resources(template, ids)
