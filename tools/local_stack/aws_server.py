"""AWS on this machine: moto's server, set up from template.yaml."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any, Self

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from video_jobs.adapters.aws.secrets_manager import secret_name
from werkzeug.serving import make_server

from tools.local_stack.bucket_cors import BucketCors
from tools.local_stack.loopback_server import HOST, LoopbackServer
from tools.local_stack.moto_fixes import (
    keep_moto_from_allowing_every_origin,
    make_moto_thread_safe,
)
from tools.local_stack.template import Template

STACK_NAME = "video-jobs"
_numbers = count(1)
REGION = "us-east-1"
LOCAL_WEBHOOK_SECRET = "whsec_bG9jYWwgd2ViaG9va3MgYXJlIG5vIHNlY3JldA=="  # noqa: S105 - of this machine only


class MotoServer(LoopbackServer):
    """moto on a free port of the loopback interface.

    Parameters
    ----------
    cors_rules
        What browsers of other origins may do with every bucket; nothing by default.
    """

    def __init__(self, cors_rules: Sequence[Mapping[str, Any]] = ()) -> None:
        logging.getLogger("werkzeug").setLevel(logging.WARNING)
        keep_moto_from_allowing_every_origin()
        self._cors = BucketCors(DomainDispatcherApplication(create_backend_app), cors_rules)
        options: dict[str, Any] = {"threaded": True, "request_handler": MotoRequestHandler}
        super().__init__(make_server(HOST, 0, self._cors, **options), "moto")

    def client(self, service: str) -> Any:
        """A boto3 client of this server."""
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106 - moto takes any
        )


class AwsServer(MotoServer):
    """moto with the stored resources of the template.

    All of moto's servers in a process share one memory, so each has a stack of another name.
    """

    def __init__(self, template: Template) -> None:
        self._template = template
        number = next(_numbers)
        self._stack_name = STACK_NAME if number == 1 else f"{STACK_NAME}-{number}"
        make_moto_thread_safe()
        super().__init__(_cors_rules(template))

    def __enter__(self) -> Self:
        super().__enter__()
        try:
            self._create_resources()
        except BaseException:
            self.__exit__()
            raise
        return self

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to use this server instead of AWS."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def let_pages_in(self, origins: Sequence[str]) -> None:
        """Let the pages of more origins upload and read, as if ``AllowedOrigins`` had them."""
        self._cors.add(_cors_rules(Template({"AllowedOrigins": ",".join(origins)})))

    def stream_arn(self, table_name: str) -> str:
        """The change stream of a table."""
        described = self.client("dynamodb").describe_table(TableName=table_name)
        return str(described["Table"]["LatestStreamArn"])

    def _create_resources(self) -> None:
        cloudformation = self.client("cloudformation")
        cloudformation.create_stack(
            StackName=self._stack_name, TemplateBody=self._template.stored_resources_json()
        )
        created = cloudformation.describe_stack_resources(StackName=self._stack_name)["StackResources"]
        ids = {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in created}
        self._template.bind(ids | {"AWS::Region": REGION, "AWS::StackName": self._stack_name})
        self._apply_what_moto_leaves_out(ids)
        name = secret_name(f"{self._stack_name}/webhooks/", "local")
        self.client("secretsmanager").create_secret(Name=name, SecretString=LOCAL_WEBHOOK_SECRET)

    def _apply_what_moto_leaves_out(self, ids: Mapping[str, str]) -> None:
        """moto's CloudFormation ignores TTL, bucket notifications and versioning."""
        dynamodb, s3 = self.client("dynamodb"), self.client("s3")
        for name in self._template.logical_ids("AWS::DynamoDB::Table"):
            ttl = self._template.resources[name]["Properties"]["TimeToLiveSpecification"]
            dynamodb.update_time_to_live(TableName=ids[name], TimeToLiveSpecification=ttl)
        for name in self._template.logical_ids("AWS::S3::Bucket"):
            bucket = self._template.resources[name]["Properties"]
            entries = bucket["NotificationConfiguration"]["QueueConfigurations"]
            queues = [self._notification(entry, ids) for entry in entries]
            s3.put_bucket_notification_configuration(
                Bucket=ids[name], NotificationConfiguration={"QueueConfigurations": queues}
            )
            versioning = bucket["VersioningConfiguration"]
            s3.put_bucket_versioning(Bucket=ids[name], VersioningConfiguration=versioning)

    def _notification(self, entry: Mapping[str, Any], ids: Mapping[str, str]) -> dict[str, Any]:
        """An entry of the template in the words of S3's API."""
        queue_url, names = ids[entry["Queue"]["Fn::GetAtt"][0]], ["QueueArn"]
        queue = self.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)
        rules = {"Key": {"FilterRules": entry["Filter"]["S3Key"]["Rules"]}}
        return {"QueueArn": queue["Attributes"]["QueueArn"], "Events": [entry["Event"]], "Filter": rules}


def _cors_rules(template: Template) -> Sequence[Mapping[str, Any]]:
    (bucket,) = template.logical_ids("AWS::S3::Bucket")
    allowed = template.compute(template.resources[bucket]["Properties"]["CorsConfiguration"])
    return [] if allowed is None else list(allowed["CorsRules"])
