"""AWS resources for tests, made from template.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import boto3
import botocore.session
from botocore.loaders import Loader

from tools.local_stack.template import Template

REGION = "us-east-1"
_LOADER = Loader()
"""Reads the description of each AWS service once a process, not once a test."""


@dataclass(frozen=True)
class Resources:
    """What the template's stored resources are called."""

    template: Template
    ids: dict[str, str]

    def id(self, logical_id: str) -> str:
        return self.ids[logical_id]


def create_resources() -> Resources:
    """Create tables, bucket and queues in the AWS that boto3 reaches."""
    session = botocore.session.get_session()
    session.register_component("data_loader", _LOADER)
    boto3.setup_default_session(botocore_session=session)
    template = Template()
    cloudformation = boto3.client("cloudformation", region_name=REGION)
    body = "\t" + template.stored_resources_json()  # a tab is no YAML: moto reads JSON ten times faster
    cloudformation.create_stack(StackName="tests", TemplateBody=body)
    created = cloudformation.describe_stack_resources(StackName="tests")["StackResources"]
    ids = {item["LogicalResourceId"]: item["PhysicalResourceId"] for item in created}
    template.bind(ids | {"AWS::Region": REGION, "AWS::StackName": "tests"})
    s3: Any = boto3.client("s3", region_name=REGION)
    s3.put_bucket_versioning(
        Bucket=ids["MediaBucket"],
        VersioningConfiguration=template.resources["MediaBucket"]["Properties"]["VersioningConfiguration"],
    )
    return Resources(template, ids)
