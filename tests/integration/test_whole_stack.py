"""The whole translated template is created, as far as moto's CloudFormation knows its types."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Mapping
from typing import Any

import boto3
import pytest
from moto.cloudformation.parsing import get_model_map

from tests.support.translated import NEEDED, REGION, Deployment, translated

UNKNOWN_TO_MOTO = {
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Stage",
    "AWS::CloudWatch::Alarm",
    "AWS::ECS::CapacityProvider",
    "AWS::ECS::ClusterCapacityProviderAssociations",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
}
"""What no test creates. A type that leaves or joins this list says so here.

deploy/issuer.yaml has only such types (Cognito); `make lint` checks it.
"""
LEFT_OUT = "AWS::CloudWatch::Dashboard"
"""moto knows it, but not the alarms whose names it contains."""


@pytest.fixture
def cloudformation(aws: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    """CloudFormation, and the code that ``sam deploy`` uploads."""
    monkeypatch.setitem(os.environ, "MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    s3: Any = boto3.client("s3", REGION)
    s3.create_bucket(Bucket="artifacts", CreateBucketConfiguration={"LocationConstraint": REGION})
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr("app.py", "")
    for key in ("code", "layer"):
        s3.put_object(Bucket="artifacts", Key=key, Body=archive.getvalue())
    return boto3.client("cloudformation", REGION)


def created(cloudformation: Any, template: Mapping[str, Any], parameters: Mapping[str, str]) -> set[str]:
    """Create a stack; the logical ids of what is in it."""
    given = [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]
    kept = {name: spec for name, spec in template["Resources"].items() if spec["Type"] != LEFT_OUT}
    body = json.dumps({**template, "Resources": kept}, default=str)
    cloudformation.create_stack(StackName="whole", TemplateBody=body, Parameters=given)
    (stack,) = cloudformation.describe_stacks()["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName="whole")
    summaries = [one for page in pages for one in page["StackResourceSummaries"]]
    # moto also lists the parts of some resources, without a logical id
    return {one["LogicalResourceId"] for one in summaries if one["LogicalResourceId"]}


@pytest.mark.filterwarnings("ignore:Tried to parse AWS:UserWarning")  # the types that moto does not know
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"WorkerNatGateway": "yes", "AllowedOrigins": "", "ApiReservedConcurrency": "10"},
        {"WorkerNetwork": "given", "WorkerVpcId": "vpc", "WorkerSubnetIds": "subnet"},
    ],
    ids=["defaults", "NAT", "given network"],
)
def test_all_that_moto_knows_of_the_template_is_created(
    cloudformation: Any, parameters: dict[str, str]
) -> None:
    if "WorkerVpcId" in parameters:
        parameters = parameters | _some_network()
    resources = Deployment(**parameters).resources
    wanted = {name: spec for name, spec in resources.items() if spec["Type"] != LEFT_OUT}
    there = created(cloudformation, translated(**parameters), NEEDED | parameters)
    assert {spec["Type"] for spec in wanted.values()} - set(get_model_map()) == UNKNOWN_TO_MOTO
    assert there == {name for name, spec in wanted.items() if spec["Type"] not in UNKNOWN_TO_MOTO}


def _some_network() -> dict[str, str]:
    ec2 = boto3.client("ec2", REGION)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    return {"WorkerVpcId": vpc, "WorkerSubnetIds": subnet}
