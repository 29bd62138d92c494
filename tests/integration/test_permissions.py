"""Functions and worker may do what they do: the calls of the crash tests against the template."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.crash_scenarios import CALLS
from tools.local_stack.template import Template

SCENARIOS_OF: dict[str, str | tuple[str, ...]] = {
    "VideoApiFunction": ("submit_", "complete_", "abort_", "cancel_", "retry_", "delete_"),
    "UploadReceivedFunction": "upload_received",
    "DeadLetterFunction": "dead_letter",
    "ReconcileFunction": "reconcile",
    "VideoWorkerTaskRole": "worker",
}
NAMED_OTHERWISE = {
    "s3:HeadObject": "s3:GetObject",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:CreateMultipartUpload": "s3:PutObject",
    "s3:CompleteMultipartUpload": "s3:PutObject",
    "s3:ListParts": "s3:ListMultipartUploadParts",
}


def allowed_actions(logical_id: str) -> set[str]:
    properties = Template().resources[logical_id]["Properties"]
    return set(_actions(properties["Policies"]))


def _actions(policy: Any) -> Iterator[str]:
    if isinstance(policy, list):
        for part in policy:
            yield from _actions(part)
    elif isinstance(policy, dict):
        action = policy.get("Action", [])
        yield from [action] if isinstance(action, str) else action
        for part in policy.values():
            if isinstance(part, list | dict):
                yield from _actions(part)


def test_the_event_bus_may_be_told() -> None:
    assert "events:PutEvents" in allowed_actions("JobEventsFunction")


@pytest.mark.parametrize("logical_id", SCENARIOS_OF)
def test_every_call_is_allowed(logical_id: str) -> None:
    calls = {
        call.replace(".", ":")
        for scenario, made in CALLS.items()
        if scenario.startswith(SCENARIOS_OF[logical_id])
        for call in made
    }
    wanted = {NAMED_OTHERWISE.get(call, call) for call in calls}
    assert wanted
    assert wanted <= allowed_actions(logical_id)
