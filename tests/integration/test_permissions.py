"""Each role may do exactly what its function, or the worker, was seen to do in these tests.

`aws_calls.json` lists the calls. It is compared both ways with the template's policies, and with the calls
that `make_every_call` makes; no other test of this folder may make a call that is not listed.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import aws_in_this_process
from tests.support.every_call import make_every_call
from tests.support.recorded_calls import LISTED, ROLE_OF_FUNCTION, WORKER_ROLE, RecordedCalls
from tools.local_stack.template import Template

ROLES = (*ROLE_OF_FUNCTION.values(), WORKER_ROLE)

POLLED = {
    "UploadReceivedRole": "UploadsQueue",
    "DeadLetterRole": "JobsDeadLetterQueue",
    "DeliverWebhookRole": "WebhooksQueue",
    "FetchSourceRole": "SourcesQueue",
}
"""Queues that Lambda itself polls, with the function's role."""

_HERE = "${AWS::Region}:${AWS::AccountId}"
ARNS = {
    f"arn:${{AWS::Partition}}:events:{_HERE}:event-bus/${{EventBusName}}": "EventBus",
    f"arn:${{AWS::Partition}}:secretsmanager:{_HERE}:secret:${{AWS::StackName}}/webhooks/*": "WebhookSecrets",
    f"arn:${{AWS::Partition}}:ecs:{_HERE}:task/${{VideoWorkerCluster}}/*": "Tasks",
}
"""What is not of this template, letter by letter: a wider pattern has no plain name."""

BY_THE_PLATFORM: dict[str, set[str]] = {
    role: {"logs:CreateLogStream FunctionsLogGroup", "logs:PutLogEvents FunctionsLogGroup"}
    for role in ROLE_OF_FUNCTION.values()
}
for role, queue in POLLED.items():
    BY_THE_PLATFORM[role] |= {
        f"sqs:{action} {queue}" for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
    }
for role in ("JobEventsRole", "QueueWebhookRole"):
    BY_THE_PLATFORM[role] |= {
        *(f"dynamodb:{read} JobsTable/stream" for read in ("DescribeStream", "GetRecords")),
        "dynamodb:GetShardIterator JobsTable/stream",
        "dynamodb:ListStreams JobsTable/stream/*",
        "sqs:SendMessage JobEventsDeadLetterQueue",  # batches that were given up
    }
BY_THE_PLATFORM[WORKER_ROLE] = {  # through the container agent, over HTTP
    "ecs:GetTaskProtection Tasks",
    "ecs:UpdateTaskProtection Tasks",
}
"""What AWS does under a role without a call of ours."""


def needed(role: str) -> set[str]:
    """The calls of a role; where a file may be missing, S3 says so only to who may list the bucket."""
    calls = set(LISTED[role]) | BY_THE_PLATFORM[role]
    reads_files = any(call.startswith("s3:GetObject") for call in calls)
    return calls | ({"s3:ListBucket MediaBucket"} if reads_files else set())


def allowed(role: str) -> set[str]:
    """The actions and resources of a role's policies."""
    properties = Template().resources[role]["Properties"]
    return {
        f"{action} {resource}"
        for policy in properties["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        for action in _listed(statement["Action"])
        for resource in map(_plain, _listed(statement["Resource"]))
    }


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _plain(resource: Any) -> str:
    """A resource of the template, as the recorded calls name it."""
    match resource:
        case {"Fn::GetAtt": [name, "Arn"]}:
            return str(name)
        case {"Fn::If": ["OnGpu", {"Ref": "VideoWorkerService"}, {"Ref": "VideoWorkerFargateService"}]}:
            return "VideoWorkerService"  # the one of the two that exists; its reference is its ARN
        case {"Fn::GetAtt": [name, "StreamArn"]}:
            return f"{name}/stream"
        case {"Fn::Sub": text} if text in ARNS:
            return ARNS[text]
        case {"Fn::Sub": text}:
            return re.sub(r"\$\{(\w+)\.Arn\}", r"\1", text)
    raise AssertionError(f"no plain name for {resource}")


@pytest.mark.parametrize("role", ROLES)
def test_a_role_lacks_nothing_and_has_nothing_to_spare(role: str) -> None:
    calls, statements = needed(role), allowed(role)
    missing = {call for call in calls if not any(fnmatchcase(call, one) for one in statements)}
    spare = {one for one in statements if not any(fnmatchcase(call, one) for call in calls)}
    assert (missing, spare) == (set(), set())
    # AND no statement names an action or a resource by a bare wildcard
    assert [one for one in statements if "*" in one.partition(" ")[0] or one.endswith(" *")] == []


def test_every_function_has_its_own_role_and_no_managed_policy() -> None:
    resources = Template().resources
    roles = [resources[name]["Properties"]["Role"]["Fn::GetAtt"][0] for name in Template().functions()]
    assert sorted(roles) == sorted(ROLE_OF_FUNCTION.values())
    assert [role for role in roles if "ManagedPolicyArns" in resources[role]["Properties"]] == []


@pytest.mark.no_cover  # moto under a tracer takes more than twice the time
def test_every_listed_call_is_made_and_no_other(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    recorded = RecordedCalls()
    with aws_in_this_process(monkeypatch):
        recorded.install(monkeypatch)
        make_every_call(monkeypatch, tmp_path)
    assert recorded.of_role == {role: set(calls) for role, calls in LISTED.items()}
