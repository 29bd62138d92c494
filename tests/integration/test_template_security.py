"""What template.yaml promises of data, transport, load and workers.

`test_permissions` looks at the roles, `test_worker_template` at the task and its fleet, `test_real_aws` at
what AWS makes of it: origins, what is retained, what a task reaches.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import reduce
from typing import Any

import pytest
from video_jobs.domain.keys import output_keys, part_key, video_key

from tools.local_stack.template import Template

TEMPLATE = Template()
RESOURCES: dict[str, Any] = {name: spec.get("Properties", {}) for name, spec in TEMPLATE.resources.items()}
WHOLE = {**RESOURCES, "Parameters": TEMPLATE._raw["Parameters"], "Specs": TEMPLATE.resources}
TABLES = ("JobsTable", "StateTable")
RETAINED = ("JobsTable", "MediaBucket")
LOG_GROUPS = TEMPLATE.logical_ids("AWS::Logs::LogGroup")
PLAIN_HTTP = {"Bool": {"aws:SecureTransport": "false"}}
ABSENT = "absent"

PROMISES: dict[str, Any] = {
    # what holds data is encrypted, can be brought back, and outlives the stack
    **{f"{name} SSESpecification": {"SSEEnabled": True} for name in TABLES},
    **{f"{name} PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True} for name in TABLES},
    "MediaBucket OwnershipControls Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}],
    "MediaBucket VersioningConfiguration": {"Status": "Enabled"},
    **{f"Specs {name} UpdateReplacePolicy": "Retain" for name in RETAINED},
    # tokens are only of issuers that are named, and calls go only to open networks that are
    "Parameters JwtIssuer Default": ABSENT,
    "Parameters JwtAudience Default": ABSENT,
    "Parameters WebhookNetworks Default": "",
    # queues are first in, first out where order matters, and have dead letters
    "JobsQueue FifoQueue": True,
    "JobsDeadLetterQueue FifoQueue": True,
    "JobsQueue RedrivePolicy maxReceiveCount": 20,
    "UploadsQueue RedrivePolicy maxReceiveCount": 10,
    # a worker is called by nobody, and its disk is encrypted
    "VideoWorkerSecurityGroup SecurityGroupIngress": ABSENT,
    "VideoWorkerLaunchTemplate LaunchTemplateData BlockDeviceMappings 0 Ebs Encrypted": True,
    # logs go after a month
    **{f"{name} RetentionInDays": 30 for name in ("FunctionsLogGroup", "VideoWorkerLogGroup", *LOG_GROUPS)},
}
"""Where something stands in the properties of the resources, and what stands there."""


def at(path: str) -> Any:
    def step(place: Any, key: str) -> Any:
        return place[int(key)] if isinstance(place, list) else place.get(key, ABSENT)

    return reduce(step, path.split(), WHOLE)


@pytest.mark.parametrize("path", PROMISES)
def test_a_promise_stands_in_the_template(path: str) -> None:
    assert at(path) == PROMISES[path]


def denials_of_plain_http(policy: Any) -> Iterator[dict[str, Any]]:
    for statement in policy["PolicyDocument"]["Statement"]:
        if statement["Effect"] == "Deny" and statement["Condition"] == PLAIN_HTTP:
            yield statement


@pytest.mark.parametrize("queue", TEMPLATE.logical_ids("AWS::SQS::Queue"))
def test_a_queue_is_encrypted_and_takes_tls_only(queue: str) -> None:
    assert RESOURCES[queue]["SqsManagedSseEnabled"] is True
    policies = [RESOURCES[name] for name in TEMPLATE.logical_ids("AWS::SQS::QueuePolicy")]
    (policy,) = (
        policy for policy in policies if {"Ref": queue} in policy["Queues"]
    )  # a second would replace it
    (denial,) = denials_of_plain_http(policy)
    assert (denial["Principal"], denial["Action"]) == ("*", "sqs:*")
    assert denial["Resource"] in ("*", {"Fn::GetAtt": [queue, "Arn"]})


def test_only_the_bucket_of_this_account_sends_uploads() -> None:
    statements = at("UploadsQueuePolicy PolicyDocument Statement")
    (allowed,) = (one for one in statements if one["Effect"] == "Allow")
    assert allowed["Principal"] == {"Service": "s3.amazonaws.com"}
    bucket = at("MediaBucket BucketName Fn::Sub")
    assert allowed["Condition"] == {
        "ArnEquals": {"aws:SourceArn": {"Fn::Sub": f"arn:${{AWS::Partition}}:s3:::{bucket}"}},
        "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}},
    }


def test_the_bucket_is_private_encrypted_and_takes_tls_only() -> None:
    assert set(at("MediaBucket PublicAccessBlockConfiguration").values()) == {True}
    assert at("MediaBucket BucketEncryption") != ABSENT
    (denial,) = denials_of_plain_http(RESOURCES["MediaBucketPolicy"])
    assert (denial["Principal"], denial["Action"]) == ("*", "s3:*")
    assert len(denial["Resource"]) == 2  # the bucket, and what is in it


def test_nothing_in_the_bucket_is_kept_for_ever() -> None:
    rules = at("MediaBucket LifecycleConfiguration Rules")
    assert {rule["Status"] for rule in rules} == {"Enabled"}
    kept = {rule["Prefix"]: rule for rule in rules if "Prefix" in rule}
    assert set(kept) == {"video_jobs/", "job_parts/"}
    assert {key.partition("/")[0] for key in (video_key("j"), *output_keys("j"))} == {"video_jobs"}
    assert part_key("j", "r", 0).startswith("job_parts/")
    for rule in kept.values():
        assert rule["ExpirationInDays"]
        assert rule["NoncurrentVersionExpiration"]["NoncurrentDays"] == 1
    assert any("AbortIncompleteMultipartUpload" in rule for rule in rules)


def test_every_route_is_throttled_and_those_that_make_work_the_most() -> None:
    settings, usual = at("HttpApi RouteSettings"), at("HttpApi DefaultRouteSettings")
    assert set(settings) <= {f"{route.method} {route.path}" for route in TEMPLATE.routes()}
    assert "POST /video/submit" in settings
    assert all(0 < most < usual[name] for limits in settings.values() for name, most in limits.items())


def test_the_access_log_names_the_call_and_no_secret() -> None:
    words = json.loads(at("HttpApi AccessLogSettings Format"))
    assert {"request_id", "owner", "route", "status"} <= set(words)
    private = ("header", "query", "path")
    assert [word for word in words.values() if any(part in word for part in private)] == []


def test_a_token_is_asked_for_except_by_what_tells_of_the_service_itself() -> None:
    assert set(at("HttpApi Auth Authorizers")) == {"TokenAuthorizer"}
    open_routes = {f"{route.method} {route.path}" for route in TEMPLATE.routes() if route.is_open}
    about_the_service = {"GET /health", "GET /openapi.json", "GET /docs"}
    assert open_routes == about_the_service | {"OPTIONS /{proxy+}"}  # what browsers ask before they call


def test_browsers_may_do_what_the_api_offers() -> None:
    (rule,) = TEMPLATE.compute(at("MediaBucket CorsConfiguration"))["CorsRules"]
    assert rule["ExposedHeaders"] == ["ETag", "Accept-Ranges", "Content-Length", "Content-Range"]
    assert {"POST", "PUT"} <= set(rule["AllowedMethods"])
    methods = {route.method for route in TEMPLATE.routes()} - {"ANY", "OPTIONS"}
    cors = TEMPLATE.cors()
    assert cors is not None
    assert methods == set(cors.methods)
