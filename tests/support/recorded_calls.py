"""Which calls to AWS the functions and the worker make while the tests run, as IAM names them.

A call belongs to the function or worker whose code is on the stack. It is written as an action and a
resource by the template's names, ids left out: ``s3:GetObject MediaBucket/video_jobs/*.mp4``. A signed URL
counts as the call that its holder makes with it.
"""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from botocore.client import BaseClient
from botocore.signers import RequestSigner, S3PostPresigner

ROLE_OF_FUNCTION = {
    "video_api": "VideoApiRole",
    "upload_received": "UploadReceivedRole",
    "dead_letter": "DeadLetterRole",
    "reconcile": "ReconcileRole",
    "job_events": "JobEventsRole",
    "queue_webhook": "QueueWebhookRole",
    "deliver_webhook": "DeliverWebhookRole",
    "fetch_source": "FetchSourceRole",
}
WORKER_ROLE = "VideoWorkerTaskRole"
_LIST = Path(__file__).parents[1] / "integration" / "aws_calls.json"
LISTED = {
    role: [
        f"{service}:{action} {resource}"
        for place, actions in places.items()
        for service, resource in [place.split(" ")]
        for action in actions.split(" ")
    ]
    for role, places in json.loads(_LIST.read_text(encoding="utf-8")).items()
}
"""What each role was seen to do."""

_WORKER_MODULES = ("video_worker.job_worker", "video_worker.heartbeat", "video_worker.retirement")
_ACTIONS = {
    "HeadObject": "GetObject",
    "DeleteObjects": "DeleteObject",
    "ListObjectsV2": "ListBucket",
    "CreateMultipartUpload": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "ListParts": "ListMultipartUploadParts",
}
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_PART = re.compile(r"job_parts/.*")
_TABLES = ("JobsTable", "StateTable")
_QUEUES = {"-jobs.fifo": "JobsQueue", "WebhooksQueue": "WebhooksQueue", "SourcesQueue": "SourcesQueue"}


class RecordedCalls:
    """``of_role`` maps each role to the calls that were made under it."""

    def __init__(self) -> None:
        self.of_role: dict[str, set[str]] = defaultdict(set)

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Watch every client of this process."""
        call, sign, sign_form = (
            BaseClient._make_api_call,  # type: ignore[attr-defined]
            RequestSigner.generate_presigned_url,
            S3PostPresigner.generate_presigned_post,
        )

        def watched_call(client: Any, operation: str, arguments: Any) -> Any:
            self._record(client.meta.service_model.service_name, operation, arguments)
            return call(client, operation, arguments)

        def watched_sign(signer: Any, **named: Any) -> Any:
            self._record("s3", named["operation_name"], _of_url(named["request_dict"]["url"]))
            return sign(signer, **named)

        def watched_form(presigner: Any, **named: Any) -> Any:
            self._record("s3", "PutObject", {"Key": named["fields"]["key"]})
            return sign_form(presigner, **named)

        monkeypatch.setattr(BaseClient, "_make_api_call", watched_call)
        monkeypatch.setattr(RequestSigner, "generate_presigned_url", watched_sign)
        monkeypatch.setattr(S3PostPresigner, "generate_presigned_post", watched_form)

    def forget_unlisted(self) -> set[str]:
        """The calls since the last time that no list names."""
        unlisted = {
            f"{role}: {call}" for role, calls in self.of_role.items() for call in calls - set(LISTED[role])
        }
        self.of_role.clear()
        return unlisted

    def _record(self, service: str, operation: str, arguments: Any) -> None:
        role = _role_on_the_stack()
        if role is not None:
            for single, one in _single_calls(operation, arguments):
                self.of_role[role].add(named_call(service, single, one))


def _single_calls(operation: str, arguments: Any) -> Iterator[tuple[str, Any]]:
    """The operations of a call with their arguments: several if it is about many objects or items."""
    if operation == "TransactWriteItems":
        for item in arguments["TransactItems"]:
            yield from ((f"{kind}Item", one) for kind, one in item.items())
        return
    if operation == "BatchGetItem":
        yield from ((operation, {"TableName": table}) for table in arguments["RequestItems"])
        return
    for one in arguments["Delete"]["Objects"] if operation == "DeleteObjects" else [arguments]:
        yield operation, one


def named_call(service: str, operation: str, arguments: Any) -> str:
    """A call as action and resource."""
    action = _ACTIONS.get(operation, operation)
    if action == "GetObject" and arguments.get("VersionId"):
        action = "GetObjectVersion"
    return f"{service}:{action} {_resource(service, action, arguments)}"


def _resource(service: str, action: str, arguments: Any) -> str:
    match service:
        case "dynamodb":
            index = arguments.get("IndexName")
            table = next(name for name in _TABLES if name in arguments["TableName"])
            return table + (f"/index/{index}" if index else "")
        case "s3" if action == "ListBucket":
            return "MediaBucket"
        case "s3":
            return "MediaBucket/" + _PART.sub("job_parts/*", _ID.sub("*", arguments["Key"]))
        case "sqs":
            return next(name for mark, name in _QUEUES.items() if mark in arguments["QueueUrl"])
        case "events":
            return "EventBus"
        case "secretsmanager":
            return "WebhookSecrets"
        case "ecs":
            return "VideoWorkerService"
    raise AssertionError(f"name the resource of {service}:{action} {arguments}")


def _of_url(url: str) -> dict[str, str]:
    parts = urlsplit(url)
    key = unquote(parts.path)
    version = parse_qs(parts.query).get("versionId", [""])[0]
    return {"Key": key[max(0, key.find("video_jobs/")) :], "VersionId": version}


def _role_on_the_stack() -> str | None:
    for module in _modules_on_the_stack():
        if module in _WORKER_MODULES:
            return WORKER_ROLE
        if module.startswith("functions."):
            return ROLE_OF_FUNCTION[module.split(".")[1]]
    return None


def _modules_on_the_stack() -> Iterator[str]:
    frame = sys._getframe(1)
    while frame is not None:
        yield str(frame.f_globals.get("__name__", ""))
        frame = frame.f_back  # type: ignore[assignment]
