"""Migrate every item of the job table to the newest schema."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from video_jobs import migrations
from video_jobs.adapters.aws.errors import error_code

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def migration_names() -> list[str]:
    """The names of the migrations, in order."""
    return sorted(module.name for module in iter_modules(migrations.__path__) if module.name[0] == "m")


def schema_version() -> int:
    """The number of the newest migration; items with it are not migrated."""
    return len(migration_names())


def migrate(client: DynamoDBClient, table_name: str) -> int:
    """Migrate all items of an older schema, and return how many were changed.

    Each item is changed by one conditional write. If a worker changes it meanwhile, the next run migrates it.
    """
    pages = client.get_paginator("scan").paginate(
        TableName=table_name,
        ConsistentRead=True,
        FilterExpression="attribute_not_exists(schema_version) OR schema_version < :newest",
        ExpressionAttributeValues={":newest": {"N": str(schema_version())}},
    )
    return sum(_migrate_item(client, table_name, item) for page in pages for item in page["Items"])


def _new_attributes(item: Mapping[str, Any]) -> dict[str, Any]:
    migrated = dict(item)
    for name in migration_names():
        migrated |= import_module(f"{migrations.__name__}.{name}").changes(migrated)
    migrated["schema_version"] = {"N": str(schema_version())}
    return {name: value for name, value in migrated.items() if item.get(name) != value}


def _migrate_item(client: DynamoDBClient, table_name: str, item: Mapping[str, Any]) -> bool:
    news = _new_attributes(item)
    names = {f"#n{position}": name for position, name in enumerate(news)}
    values = {f":v{position}": value for position, value in enumerate(news.values())}
    unchanged = "#status = :status AND updated_at = :updated_at"
    if "updated_at" not in item:
        unchanged = "#status = :status AND attribute_not_exists(updated_at)"
    else:
        values[":updated_at"] = item["updated_at"]
    try:
        client.update_item(
            TableName=table_name,
            Key={"job_id": item["job_id"]},
            UpdateExpression="SET " + ", ".join(f"{a} = {b}" for a, b in zip(names, values, strict=False)),
            ConditionExpression=unchanged,
            ExpressionAttributeNames={**names, "#status": "status"},
            ExpressionAttributeValues={**values, ":status": item["status"]},
        )
    except ClientError as exc:
        if error_code(exc) == "ConditionalCheckFailedException":
            return False
        raise
    return True
