"""A deployed stack on a moto server: what template.yaml stores, the API, functions and workers, with jobs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
import yaml

from tools.local_stack.template import Template

REGION = "eu-central-2"
"""One of those in which version 1 of the AWS CLI obeys ``AWS_ENDPOINT_URL`` for SQS, too."""
STACK = "video-jobs"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": REGION,
    "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",  # loading them takes a second
}
FUNCTIONS = ("VideoApiFunction", "ReconcileFunction")
STATES = {"1": "pending", "2": "running", "3": "completed", "4": "failed"}
"""Job id to status."""
_COMPUTING = f"""
Role:
  Type: AWS::IAM::Role
  Properties:
    AssumeRolePolicyDocument:
      Statement: [{{Effect: Allow, Principal: {{Service: lambda}}, Action: "sts:AssumeRole"}}]
{FUNCTIONS[0]}: &function
  Type: AWS::Lambda::Function
  Properties:
    {{Code: {{ZipFile: pass}}, Handler: a.b, Runtime: python3.11, Role: {{"Fn::GetAtt": [Role, Arn]}}}}
{FUNCTIONS[1]}: *function
VideoWorkerCluster: {{Type: "AWS::ECS::Cluster"}}
VideoWorkerTaskDefinition:
  Type: AWS::ECS::TaskDefinition
  Properties: {{Family: worker, ContainerDefinitions: [{{Name: worker, Image: none, Memory: 1}}]}}
VideoWorkerService:
  Type: AWS::ECS::Service
  Properties:
    Cluster: {{Ref: VideoWorkerCluster}}
    TaskDefinition: {{Ref: VideoWorkerTaskDefinition}}
    DesiredCount: 1
Launch:
  Type: AWS::AutoScaling::LaunchConfiguration
  Properties: {{ImageId: ami-12c6146b, InstanceType: g4dn.xlarge}}
VideoWorkerInstances:
  Type: AWS::AutoScaling::AutoScalingGroup
  Properties:
    LaunchConfigurationName: {{Ref: Launch}}
    AvailabilityZones: [{REGION}a]
    MinSize: "0"
    MaxSize: "4"
    DesiredCapacity: "1"
    NewInstancesProtectedFromScaleIn: true
"""
"""What runs functions and workers, as CloudFormation."""


@dataclass(frozen=True)
class Deployed:
    """The stack in the AWS at ``url``."""

    url: str
    ids: Mapping[str, str]

    def client(self, service: str) -> Any:
        return client(self.url, service)

    def items(self) -> dict[str, Any]:
        found = self.client("dynamodb").scan(TableName=self.ids["JobsTable"])["Items"]
        return {item["job_id"]["S"]: item for item in found}

    def save(self, job_id: str, status: str, updated_at: str = "2026-03-01T00:00:00Z") -> None:
        values = {"job_id": job_id, "status": status, "updated_at": updated_at, "filename": 'a "job_id".mp4'}
        item = {name: {"S": value} for name, value in values.items()}
        self.client("dynamodb").put_item(TableName=self.ids["JobsTable"], Item=item)

    def put(self, key: str, body: bytes) -> None:
        self.client("s3").put_object(Bucket=self.ids["MediaBucket"], Key=key, Body=body)

    def send(self, queue: str) -> None:
        self.client("sqs").send_message(QueueUrl=self.ids[queue], MessageBody="message")

    def end_all_work(self) -> None:
        """No job is open and no queue holds a message."""
        for job_id in STATES:
            self.save(job_id, "completed")
        for name in Template().logical_ids("AWS::SQS::Queue"):
            self.client("sqs").purge_queue(QueueUrl=self.ids[name])

    def stacks(self) -> list[str]:
        return [stack["StackName"] for stack in self.client("cloudformation").describe_stacks()["Stacks"]]

    def route_limits(self) -> dict[str, int]:
        (stage,) = self.client("apigatewayv2").get_stages(ApiId=self.ids["HttpApi"])["Items"]
        return {route: own["ThrottlingBurstLimit"] for route, own in stage["RouteSettings"].items()}

    def switches(self) -> dict[str, Any]:
        """All that a rollback turns off."""
        functions, ecs = self.client("lambda"), self.client("ecs")
        scaling = self.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")
        suspended = [it.get("SuspendedState") or {} for it in scaling["ScalableTargets"]]
        tasks = ecs.list_tasks(cluster=self.ids["VideoWorkerCluster"], desiredStatus="RUNNING")
        limits = [functions.get_function_concurrency(FunctionName=self.ids[name]) for name in FUNCTIONS]
        return {
            "routes": self.route_limits(),
            "functions": [limit.get("ReservedConcurrentExecutions") for limit in limits],
            "scaling": [state.get("DynamicScalingOutSuspended", False) for state in suspended],
            "tasks": tasks["taskArns"],
        }


def client(url: str, service: str) -> Any:
    credentials = dict.fromkeys(("aws_access_key_id", "aws_secret_access_key"), "testing")
    return boto3.client(service, region_name=REGION, endpoint_url=url, **credentials)  # type: ignore[call-overload]


def deploy(url: str, policy: str = "Retain") -> Deployed:
    """Create the stack, and jobs, files, messages and a worker in it.

    Parameters
    ----------
    policy
        The ``DeletionPolicy`` of table and bucket.
    """
    cloudformation = client(url, "cloudformation")
    cloudformation.create_stack(StackName=STACK, TemplateBody=json.dumps(_template(policy), default=str))
    created = cloudformation.list_stack_resources(StackName=STACK)["StackResourceSummaries"]
    deployed = Deployed(url, {it["LogicalResourceId"]: it["PhysicalResourceId"] for it in created})
    bucket = deployed.ids["MediaBucket"]
    deployed.client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    recovery = {"PointInTimeRecoveryEnabled": True}
    deployed.client("dynamodb").update_continuous_backups(
        TableName=deployed.ids["JobsTable"], PointInTimeRecoverySpecification=recovery
    )
    for job_id, status in STATES.items():
        deployed.save(job_id, status)
        deployed.put(f"video_jobs/{job_id}.mp4", b"video")
    deployed.put("video_jobs/3_results.json", b"results")
    deployed.put("job_parts/2/part", b"part")
    deployed.send("UploadsQueue")
    _start_worker(deployed)
    return deployed


def _start_worker(deployed: Deployed) -> None:
    deployed.client("application-autoscaling").register_scalable_target(
        ServiceNamespace="ecs",
        ScalableDimension="ecs:service:DesiredCount",
        ResourceId=deployed.ids["VideoWorkerService"].split(":", 5)[5],
        MinCapacity=0,
        MaxCapacity=4,
    )
    deployed.client("ecs").run_task(
        cluster=deployed.ids["VideoWorkerCluster"],
        taskDefinition=deployed.ids["VideoWorkerTaskDefinition"],
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-0"]}},
    )


def _template(policy: str) -> dict[str, Any]:
    template = Template()
    whole: dict[str, Any] = json.loads(template.stored_resources_json())
    for spec in whole["Resources"].values():
        if spec["Type"] != "AWS::SQS::Queue":
            spec["DeletionPolicy"] = policy
    limits = template.resources["HttpApi"]["Properties"]["RouteSettings"]
    api = {"Routes": [f"{route.method} {route.path}" for route in template.routes()], "RouteSettings": limits}
    whole["Resources"] |= yaml.safe_load(_COMPUTING)
    whole["Resources"]["HttpApi"] = {"Type": "AWS::ApiGatewayV2::Api", "Properties": api}
    return whole
