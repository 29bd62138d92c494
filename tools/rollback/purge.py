"""Delete buckets and tables with all that is in them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from tools.rollback.actions import Action
from tools.rollback.deployment import Aws, Deployment
from tools.rollback.items import tables_there
from tools.rollback.objects import buckets_there
from tools.rollback.record import Resource, UnfinishedError


def purge(aws: Aws, deployment: Deployment) -> Iterator[Action]:
    """Whatever of the deployment's data is there."""
    for bucket in buckets_there(aws, deployment):
        text = f"delete the bucket {bucket.physical_id}, every version of every object in it"
        yield Action(text, partial(_delete_bucket, aws.client("s3"), bucket))
    for table in tables_there(aws, deployment):
        yield Action(f"delete the table {table.physical_id}", partial(_delete_table, aws, table))


def _delete_bucket(s3: Any, bucket: Resource) -> None:
    name = bucket.physical_id
    for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=name):
        for upload in page.get("Uploads", []):
            s3.abort_multipart_upload(Bucket=name, Key=upload["Key"], UploadId=upload["UploadId"])
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
        versions = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        objects = [{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in versions]
        if objects:
            answer = s3.delete_objects(Bucket=name, Delete={"Objects": objects, "Quiet": True})
            _check(name, answer.get("Errors", []))
    s3.delete_bucket(Bucket=name)


def _check(bucket: str, errors: list[dict[str, str]]) -> None:
    if errors:
        reasons = ", ".join(sorted({error["Code"] for error in errors}))
        raise UnfinishedError(f"{len(errors)} objects of {bucket} could not be deleted: {reasons}")


def _delete_table(aws: Aws, table: Resource) -> None:
    dynamodb = aws.client("dynamodb")
    dynamodb.delete_table(TableName=table.physical_id)
    dynamodb.get_waiter("table_not_exists").wait(TableName=table.physical_id)
