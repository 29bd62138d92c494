"""The item of a job in the table (`job_attributes` converts it to a `Job` and back)."""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import (
    JSONAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
)
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model

from video_jobs.adapters.aws.iso_time import IsoTimeAttribute
from video_jobs.adapters.aws.usage_attribute import UsageAttribute
from video_jobs.domain.job import UploadState

SCHEMA_VERSION = 2
"""The number of the newest migration (`video_jobs.migrations`)."""

_SHARDS = 4
WORK_SHARDS = range(_SHARDS)
"""The partitions of the due-work index; a single one would limit the writes to all open jobs.

Those that version 0.1.0 wrote have awaited uploads as well.
"""
UPLOAD_SHARDS = range(_SHARDS, 2 * _SHARDS)
"""The partitions of the jobs whose upload is awaited, so that nothing else is searched for among them."""


class OwnerIndex(GlobalSecondaryIndex["JobItem"]):
    """An owner's jobs by the time they were made."""

    class Meta:
        index_name = "owner-created_at"
        projection = AllProjection()

    owner = UnicodeAttribute(hash_key=True)
    created_at = IsoTimeAttribute(range_key=True)


class DueIndex(GlobalSecondaryIndex["JobItem"]):
    """Open jobs by the time they are due; ended jobs are not in this index."""

    class Meta:
        index_name = "due_shard-due_at"
        projection = AllProjection()

    due_shard = NumberAttribute(hash_key=True)
    due_at = IsoTimeAttribute(range_key=True)


class JobItem(Model):
    """The attributes of an item. Their names never change, even if a field of `Job` is renamed."""

    job_id = UnicodeAttribute(hash_key=True)
    owner = UnicodeAttribute()
    status = UnicodeAttribute()
    pipeline_id = UnicodeAttribute()
    frame_stride = NumberAttribute()
    max_frames = NumberAttribute(null=True)
    part_frames = NumberAttribute()
    needs = NumberAttribute(null=True)
    filename = UnicodeAttribute(null=True)
    request_hash = UnicodeAttribute(null=True)
    upload_state = UnicodeAttribute()
    upload_id = UnicodeAttribute(null=True)
    upload_bytes = NumberAttribute(null=True)
    source = JSONAttribute(null=True)
    source_host = UnicodeAttribute(null=True)
    input_path = UnicodeAttribute()
    input_version = UnicodeAttribute(null=True)
    input_bytes = NumberAttribute(null=True)
    output_path = UnicodeAttribute(null=True)
    output_version = UnicodeAttribute(null=True)
    output_index_version = UnicodeAttribute(null=True)
    summary_path = UnicodeAttribute(null=True)
    summary_version = UnicodeAttribute(null=True)
    tracks_path = UnicodeAttribute(null=True)
    tracks_version = UnicodeAttribute(null=True)
    tracks_index_version = UnicodeAttribute(null=True)
    error_code = UnicodeAttribute(null=True)
    error_message = UnicodeAttribute(null=True)
    created_at = IsoTimeAttribute()
    updated_at = IsoTimeAttribute()
    generation = NumberAttribute()
    queued_at = IsoTimeAttribute(null=True)
    attempt = NumberAttribute()
    failures = NumberAttribute()
    crashes = NumberAttribute()
    lease_owner = UnicodeAttribute(null=True)
    lease_expires_at = IsoTimeAttribute(null=True)
    due_shard = NumberAttribute(null=True)
    due_at = IsoTimeAttribute(null=True)
    frames_done = NumberAttribute()
    frames_total = NumberAttribute(null=True)
    parts_done = NumberAttribute(null=True)
    helpers = NumberAttribute(null=True)
    video: MapAttribute[str, Any] = MapAttribute(null=True)
    warnings: ListAttribute[Any] = ListAttribute()
    warning_codes: ListAttribute[Any] = ListAttribute(null=True)
    fingerprint = JSONAttribute(null=True)
    callback_url = UnicodeAttribute(null=True)
    text_engine = UnicodeAttribute(null=True)
    languages: ListAttribute[Any] = ListAttribute(null=True)
    classes: ListAttribute[Any] = ListAttribute(null=True)
    min_confidence = NumberAttribute(null=True)
    region: ListAttribute[Any] = ListAttribute(null=True)
    start_ms = NumberAttribute(null=True)
    end_ms = NumberAttribute(null=True)
    frames_per_second = NumberAttribute(null=True)
    webhook = JSONAttribute(null=True)
    webhook_state = UnicodeAttribute(null=True)
    usage = UsageAttribute(null=True)
    retries = NumberAttribute(null=True)
    place = UnicodeAttribute(null=True)
    expires_at = TTLAttribute(null=True)
    schema_version = NumberAttribute(default=SCHEMA_VERSION)

    by_owner = OwnerIndex()
    by_due_time = DueIndex()


def job_item_model(table_name: str, region: str) -> type[JobItem]:
    """The model bound to one table."""
    meta = type("Meta", (), {"table_name": table_name, "region": region})
    return type("BoundJobItem", (JobItem,), {"Meta": meta})


def due_shard_of(job_id: str, upload_state: UploadState | None) -> int:
    """The partition of the due-work index that an open job belongs to; None is a job that has its video."""
    shards = UPLOAD_SHARDS if upload_state is UploadState.AWAITING else WORK_SHARDS
    return shards[int(job_id[0], 16) % len(shards)]
