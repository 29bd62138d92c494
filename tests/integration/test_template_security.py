"""What template.yaml promises about data, transport and load; `test_permissions` looks at the roles."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tools.local_stack.template import Template

RESOURCES: dict[str, Any] = {name: spec.get("Properties", {}) for name, spec in Template().resources.items()}
PLAIN_HTTP = {"Bool": {"aws:SecureTransport": "false"}}


def denials_of_plain_http(policy: Any) -> Iterator[dict[str, Any]]:
    for statement in policy["PolicyDocument"]["Statement"]:
        if statement["Effect"] == "Deny" and statement["Condition"] == PLAIN_HTTP:
            yield statement


@pytest.mark.parametrize("queue", Template().logical_ids("AWS::SQS::Queue"))
def test_a_queue_is_encrypted_and_takes_tls_only(queue: str) -> None:
    assert RESOURCES[queue]["SqsManagedSseEnabled"] is True
    policies = [RESOURCES[name] for name in Template().logical_ids("AWS::SQS::QueuePolicy")]
    policies = [policy for policy in policies if {"Ref": queue} in policy["Queues"]]
    (policy,) = policies  # a queue has one policy: a second would replace it
    (denial,) = denials_of_plain_http(policy)
    assert (denial["Principal"], denial["Action"]) == ("*", "sqs:*")
    assert denial["Resource"] in ("*", {"Fn::GetAtt": [queue, "Arn"]})


def test_only_the_bucket_of_this_account_sends_uploads() -> None:
    statements = RESOURCES["UploadsQueuePolicy"]["PolicyDocument"]["Statement"]
    (allowed,) = (one for one in statements if one["Effect"] == "Allow")
    assert allowed["Principal"] == {"Service": "s3.amazonaws.com"}
    bucket = RESOURCES["MediaBucket"]["BucketName"]["Fn::Sub"]
    assert allowed["Condition"] == {
        "ArnEquals": {"aws:SourceArn": {"Fn::Sub": f"arn:${{AWS::Partition}}:s3:::{bucket}"}},
        "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}},
    }


def test_the_bucket_is_private_encrypted_and_takes_tls_only() -> None:
    bucket = RESOURCES["MediaBucket"]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert "BucketEncryption" in bucket
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    (denial,) = denials_of_plain_http(RESOURCES["MediaBucketPolicy"])
    assert (denial["Principal"], denial["Action"]) == ("*", "s3:*")
    assert len(denial["Resource"]) == 2  # the bucket, and what is in it


def test_nothing_in_the_bucket_is_kept_for_ever() -> None:
    rules = RESOURCES["MediaBucket"]["LifecycleConfiguration"]["Rules"]
    assert {rule["Status"] for rule in rules} == {"Enabled"}
    kept = {rule["Prefix"]: rule for rule in rules if "Prefix" in rule}
    assert set(kept) == {"video_jobs/", "job_parts/"}
    for rule in kept.values():
        assert rule["ExpirationInDays"]
        assert rule["NoncurrentVersionExpiration"]["NoncurrentDays"] <= 7
    assert any("AbortIncompleteMultipartUpload" in rule for rule in rules)


def test_the_table_is_encrypted_and_can_be_brought_back() -> None:
    table = RESOURCES["JobsTable"]
    assert table["SSESpecification"] == {"SSEEnabled": True}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_what_holds_data_outlives_the_stack() -> None:
    for spec in (Template().resources["JobsTable"], Template().resources["MediaBucket"]):
        assert (spec["DeletionPolicy"], spec["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


def test_only_configured_origins_are_let_in() -> None:
    for given, origins in (("https://a.example", ["https://a.example"]), ("https://a,http://b", 2)):
        template = Template({"AllowedOrigins": given})
        (rule,) = template.compute(RESOURCES["MediaBucket"]["CorsConfiguration"])["CorsRules"]
        api = template.compute(RESOURCES["HttpApi"]["CorsConfiguration"])
        assert rule["AllowedOrigins"] == api["AllowOrigins"]
        assert origins in (rule["AllowedOrigins"], len(rule["AllowedOrigins"]))
        assert "AllowCredentials" not in api
    # AND without origins no browser is
    template = Template({"AllowedOrigins": ""})
    assert template.cors() is None
    assert template.compute(RESOURCES["MediaBucket"]["CorsConfiguration"]) is None


def test_every_route_is_throttled_and_those_that_make_work_the_most() -> None:
    api = RESOURCES["HttpApi"]
    routes = {f"{route.method} {route.path}" for route in Template().routes()}
    assert set(api["RouteSettings"]) <= routes
    assert "POST /video/submit" in api["RouteSettings"]
    for limits in api["RouteSettings"].values():
        for name, most in limits.items():
            assert 0 < most < api["DefaultRouteSettings"][name]


def test_the_access_log_names_the_call_and_no_secret() -> None:
    settings = RESOURCES["HttpApi"]["AccessLogSettings"]
    words = json.loads(settings["Format"])
    assert {"request_id", "owner", "route", "status"} <= set(words)
    private = ("header", "query", "path")
    assert [word for word in words.values() if any(part in word for part in private)] == []


def test_logs_go_after_a_month() -> None:
    groups = Template().logical_ids("AWS::Logs::LogGroup")
    assert {"FunctionsLogGroup", "VideoWorkerLogGroup"} <= set(groups)
    assert {RESOURCES[name]["RetentionInDays"] for name in groups} == {30}


def test_only_the_routes_that_tell_of_the_service_itself_are_open() -> None:
    open_routes = {f"{route.method} {route.path}" for route in Template().routes() if route.is_open}
    about_the_service = {"GET /health", "GET /openapi.json", "GET /docs"}
    assert open_routes == about_the_service | {"OPTIONS /{proxy+}"}  # what browsers ask before they call


def test_no_parameter_brings_a_token_issuer_or_an_open_network_by_default() -> None:
    parameters = Template()._raw["Parameters"]
    assert "Default" not in parameters["JwtIssuer"]
    assert "Default" not in parameters["JwtAudience"]
    assert parameters["WebhookNetworks"]["Default"] == ""


def test_worker_instances_hide_their_metadata_from_tasks() -> None:
    launch = RESOURCES["VideoWorkerLaunchTemplate"]["LaunchTemplateData"]
    assert launch["MetadataOptions"] == {"HttpTokens": "required", "HttpPutResponseHopLimit": 1}
    assert "ECS_AWSVPC_BLOCK_IMDS=true" in launch["UserData"]["Fn::Base64"]["Fn::Sub"]
    assert launch["BlockDeviceMappings"][0]["Ebs"]["Encrypted"] is True


def test_nobody_calls_the_workers() -> None:
    assert "SecurityGroupIngress" not in RESOURCES["VideoWorkerSecurityGroup"]
