"""A deployed stack on a moto server: what template.yaml stores, the API, functions and workers, with jobs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from inspect import signature
from typing import Any
from urllib.parse import unquote

import boto3
import yaml
from moto.apigatewayv2 import urls
from moto.apigatewayv2.models import apigatewayv2_backends
from moto.apigatewayv2.responses import ApiGatewayV2Response
from moto.autoscaling.models import AutoScalingBackend
from moto.cloudformation.parsing import ResourceMap, get_model_map
from moto.core.common_models import CloudFormationModel

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
RESERVED = 20
"""Concurrent executions that the operator keeps for the API."""
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
        cluster, worker = self.ids["VideoWorkerCluster"], self.ids["VideoWorkerService"]
        services = ecs.describe_services(cluster=cluster, services=[worker])["services"]
        limits = [functions.get_function_concurrency(FunctionName=self.ids[name]) for name in FUNCTIONS]
        return {
            "routes": self.route_limits(),
            "functions": [limit.get("ReservedConcurrentExecutions") for limit in limits],
            "workers": [it["desiredCount"] for it in services],
            "tasks": ecs.list_tasks(cluster=cluster, desiredStatus="RUNNING")["taskArns"],
        }


def client(url: str, service: str) -> Any:
    credentials = dict.fromkeys(("aws_access_key_id", "aws_secret_access_key"), "testing")
    return boto3.client(service, region_name=REGION, endpoint_url=url, **credentials)  # type: ignore[call-overload]


def deploy(url: str, policy: str | None = None) -> Deployed:
    """Create the stack, and jobs, files, messages and a worker in it.

    Parameters
    ----------
    policy
        The ``DeletionPolicy`` of the jobs' table and the bucket; None for that of the template.
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
    deployed.client("lambda").put_function_concurrency(
        FunctionName=deployed.ids["VideoApiFunction"], ReservedConcurrentExecutions=RESERVED
    )
    _start_worker(deployed)
    return deployed


def _start_worker(deployed: Deployed) -> None:
    deployed.client("ecs").run_task(
        cluster=deployed.ids["VideoWorkerCluster"],
        taskDefinition=deployed.ids["VideoWorkerTaskDefinition"],
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-0"]}},
    )


def _template(policy: str | None) -> dict[str, Any]:
    template = Template()
    whole: dict[str, Any] = json.loads(template.stored_resources_json())
    for name in ("JobsTable", "MediaBucket"):
        whole["Resources"][name]["DeletionPolicy"] = policy or template.resources[name]["DeletionPolicy"]
    limits = template.resources["HttpApi"]["Properties"]["RouteSettings"]
    api = {"Routes": [f"{route.method} {route.path}" for route in template.routes()], "RouteSettings": limits}
    whole["Resources"] |= yaml.safe_load(_COMPUTING)
    whole["Resources"]["HttpApi"] = {"Type": "AWS::ApiGatewayV2::Api", "Properties": api}
    return whole


# --- what moto leaves out of a stack: HTTP APIs whose stages can be changed ---------------------------

_ROUTE_SETTINGS = "{0}/v2/apis/(?P<api_id>[^/]+)/stages/(?P<stage_name>[^/]+)/routesettings/(?P<key>.+)$"
_delete_resources = ResourceMap.delete
_LIMITS = {"throttlingBurstLimit": 200, "throttlingRateLimit": 100}


def teach_moto_http_apis() -> None:
    """Add it; doing it twice changes nothing."""
    models: dict[str, Any] = get_model_map()
    models["AWS::ApiGatewayV2::Api"] = HttpApi
    for owner, name, method in (
        (ApiGatewayV2Response, "update_stage", _update_stage),
        (ApiGatewayV2Response, "delete_route_settings", _delete_route_settings),
        (ResourceMap, "delete", _delete_unless_retained),
        # moto deletes a whole stack before it answers; then its group is no longer there to be deleted.
        (AutoScalingBackend, "delete_auto_scaling_group", _delete_auto_scaling_group),
    ):
        setattr(owner, name, method)
    urls.url_paths[_ROUTE_SETTINGS] = ApiGatewayV2Response.dispatch


class HttpApi(CloudFormationModel):
    """An HTTP API with the routes that its property ``Routes`` lists, and a default stage."""

    def __init__(self, api_id: str, backend: Any) -> None:
        self.physical_resource_id, self._backend = api_id, backend

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **kwargs: Any
    ) -> HttpApi:
        backend = apigatewayv2_backends[account_id][region_name]
        unset: dict[str, Any] = dict.fromkeys(signature(backend.create_api).parameters)
        api = backend.create_api(**unset | {"name": resource_name, "protocol_type": "HTTP", "tags": {}})
        for key in cloudformation_json["Properties"]["Routes"]:
            api.create_route(False, [], key, target="")
        own = {
            route: {name[0].lower() + name[1:]: limit for name, limit in limits.items()}
            for route, limits in cloudformation_json["Properties"]["RouteSettings"].items()
        }
        stage = {"stageName": "$default", "autoDeploy": True, "defaultRouteSettings": _LIMITS}
        api.create_stage(stage | {"routeSettings": own})
        return cls(api.api_id, backend)

    def delete(self, account_id: str, region_name: str) -> None:
        self._backend.delete_api(self.physical_resource_id)

    def is_created(self) -> bool:
        return True


def _delete_unless_retained(self: Any) -> None:
    """moto knows only ``Retain``; ``RetainExceptOnCreate`` is the same once a resource is created."""
    for spec in self._resource_json_map.values():
        if spec.get("DeletionPolicy") == "RetainExceptOnCreate":
            spec["DeletionPolicy"] = "Retain"
    _delete_resources(self)


def _delete_auto_scaling_group(self: Any, group_name: str) -> None:
    if group_name in self.autoscaling_groups:
        self.set_desired_capacity(group_name, 0)
        self.autoscaling_groups.pop(group_name)


def _stage_of(response: Any) -> Any:
    parts = response.path.split("/")
    stages = parts.index("stages")
    return response.apigatewayv2_backend.get_stage(parts[stages - 1], unquote(parts[stages + 1]))


def _update_stage(self: Any) -> Any:
    stage = _stage_of(self)
    stage.route_settings = {**stage.route_settings, **json.loads(self.body)["routeSettings"]}
    return 200, {}, json.dumps(stage.to_json())


def _delete_route_settings(self: Any) -> Any:
    stage, key = _stage_of(self), unquote(self.path.rpartition("/routesettings/")[2])
    stage.route_settings = {route: value for route, value in stage.route_settings.items() if route != key}
    return 204, {}, ""
