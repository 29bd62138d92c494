"""Items of the tables as JSON lines, in the form that DynamoDB imports: ``{"Item": {…}}``."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError
from video_jobs.adapters.aws.errors import error_code
from video_jobs.domain.job import JobStatus

from tools.rollback.deployment import TABLE, Aws, Deployment
from tools.rollback.record import Resource

Item = Mapping[str, Any]
OPEN = tuple(str(status) for status in JobStatus if status.is_open)


def tables_there(aws: Aws, deployment: Deployment) -> list[Resource]:
    """The deployment's tables that have not been deleted."""
    return [table for table in deployment.of(TABLE) if _is_there(aws, table)]


def items_of(aws: Aws, table: Resource) -> Iterator[Item]:
    """Every item, by consistent reads."""
    pages = aws.client("dynamodb").get_paginator("scan")
    for page in pages.paginate(TableName=table.physical_id, ConsistentRead=True):
        yield from page["Items"]


def open_jobs(aws: Aws, deployment: Deployment) -> Iterator[Item]:
    """Every job that has still to end."""
    for table in tables_there(aws, deployment):
        yield from (item for item in items_of(aws, table) if is_open(item))


def is_open(item: Item) -> bool:
    """Whether an item is a job that has still to end."""
    return item.get("status", {}).get("S") in OPEN


def to_line(item: Item) -> str:
    """An item as one line; equal items give equal lines."""
    return json.dumps({"Item": item}, sort_keys=True, ensure_ascii=False, default=_text_of_bytes)


def _is_there(aws: Aws, table: Resource) -> bool:
    try:
        aws.client("dynamodb").describe_table(TableName=table.physical_id)
    except ClientError as exc:
        if error_code(exc) == "ResourceNotFoundException":
            return False
        raise
    return True


def _text_of_bytes(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"Not to be written as JSON: {type(value).__name__}")
