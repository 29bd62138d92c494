"""The item of a job in the table, and its conversion to a `Job` and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from itertools import zip_longest
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
from video_jobs.domain.formats import FIRST_FORMAT
from video_jobs.domain.job import (
    Delivery,
    DeliveryState,
    Failure,
    Job,
    JobOptions,
    JobStatus,
    Lease,
    Output,
    Progress,
    Source,
    SummaryOutput,
    Upload,
    UploadState,
    from_iso,
    to_iso,
)
from video_jobs.domain.region import Region
from video_jobs.domain.video import JobWarning, VideoFacts, WarningCode

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


def to_attributes(job: Job) -> dict[str, Any]:
    """The attributes of a new item."""
    values = {spec.name: getattr(job, spec.name) for spec in fields(Job)}
    return {
        name: value for name, value in changed_attributes(job.job_id, values).items() if value is not None
    }


def changed_attributes(
    job_id: str, values: Mapping[str, Any], upload_state: UploadState | None = None
) -> dict[str, Any]:
    """The attributes for some fields of a job; an attribute that is None is removed.

    ``upload_state`` is that of the job before, if the change is only for jobs in that state.
    """
    attributes: dict[str, Any] = {}
    for field, value in values.items():
        attributes |= _NESTED[field](value) if field in _NESTED else {field: _plain(value)}
    if "due_at" in values:
        state = values["upload"].state if "upload" in values else upload_state
        attributes["due_shard"] = None if values["due_at"] is None else due_shard_of(job_id, state)
    return attributes


def to_job(item: JobItem) -> Job:
    """The job of an item; items of an earlier release lack the newest attributes."""
    return Job(
        job_id=item.job_id,
        owner=item.owner,
        created_at=item.created_at,
        updated_at=item.updated_at,
        status=JobStatus(item.status),
        options=_options_of(item),
        part_frames=int(item.part_frames),
        needs=int(item.needs or FIRST_FORMAT),
        request_hash=item.request_hash,
        upload=_upload_of(item),
        generation=int(item.generation),
        queued_at=item.queued_at,
        due_at=item.due_at,
        attempt=int(item.attempt),
        failures=int(item.failures),
        crashes=int(item.crashes),
        lease=Lease(item.lease_owner, item.lease_expires_at) if item.lease_owner else None,
        progress=Progress(int(item.frames_done), _int(item.frames_total), int(item.parts_done or 0)),
        output=_output_of(item),
        error=Failure(item.error_code, item.error_message or "") if item.error_code else None,
        video=_video_of(item.video.as_dict()) if item.video else None,
        warnings=_warnings_of(item),
        fingerprint=item.fingerprint,
        delivery=_delivery_of(item.webhook) if item.webhook else None,
        usage=item.usage,
        expires_at=item.expires_at,
    )


def _options_of(item: JobItem) -> JobOptions:
    return JobOptions(
        pipeline_id=item.pipeline_id,
        frame_stride=int(item.frame_stride),
        max_frames=_int(item.max_frames),
        filename=item.filename,
        callback_url=item.callback_url,
        text_engine=item.text_engine,
        languages=tuple(item.languages or ()),
        classes=tuple(item.classes or ()),
        min_confidence=_float(item.min_confidence),
        region=Region(*map(float, item.region)) if item.region else None,
        start_ms=_float(item.start_ms),
        end_ms=_float(item.end_ms),
        frames_per_second=_float(item.frames_per_second),
    )


def _upload_of(item: JobItem) -> Upload:
    """The upload; one that is fetched is stored as accepted, with its source.

    The release before knows no third state. It would fail an awaiting job as never uploaded. An accepted
    one it sends to a worker, which postpones it, because the job needs a format that it does not know.
    """
    return Upload(
        key=item.input_path,
        state=UploadState.FETCHING if item.source else UploadState(item.upload_state),
        multipart_id=item.upload_id,
        announced_bytes=_int(item.upload_bytes),
        source=_source_of(item.source) if item.source else None,
        source_host=item.source_host,
        version=item.input_version,
        size_bytes=_int(item.input_bytes),
    )


def _source_of(source: Mapping[str, Any]) -> Source:
    known = {spec.name for spec in fields(Source)}
    return Source(**{name: value for name, value in source.items() if name in known})


def _output_of(item: JobItem) -> Output | None:
    if not item.output_path:
        return None
    return Output(item.output_path, item.output_version, item.output_index_version, _summary_of(item))


def _summary_of(item: JobItem) -> SummaryOutput | None:
    if not item.summary_path or not item.tracks_path:
        return None
    return SummaryOutput(
        item.summary_path,
        item.summary_version,
        item.tracks_path,
        item.tracks_version,
        item.tracks_index_version,
    )


def _video_of(video: Mapping[str, Any]) -> VideoFacts:
    known = {spec.name for spec in fields(VideoFacts)}
    return VideoFacts(**{name: value for name, value in video.items() if name in known})


def _warnings_of(item: JobItem) -> tuple[JobWarning, ...]:
    """The warnings; those of an earlier release have no codes."""
    coded = zip_longest(item.warning_codes or (), item.warnings or (), fillvalue=str(WarningCode.OTHER))
    return tuple(JobWarning(code, message) for code, message in coded)


def _delivery_of(webhook: Mapping[str, Any]) -> Delivery:
    return Delivery(
        state=DeliveryState(webhook["state"]),
        attempts=webhook["attempts"],
        updated_at=from_iso(webhook["updated_at"]),
        status_code=webhook.get("status_code"),
        error=webhook.get("error"),
    )


def _options_to_attributes(options: JobOptions) -> dict[str, Any]:
    attributes = {spec.name: getattr(options, spec.name) for spec in fields(JobOptions)}
    lists = ("languages", "classes", "region")
    return attributes | {name: list(attributes[name] or ()) or None for name in lists}


def _upload_to_attributes(upload: Upload) -> dict[str, Any]:
    state = UploadState.ACCEPTED if upload.state is UploadState.FETCHING else upload.state
    return {
        "input_path": upload.key,
        "upload_state": str(state),
        "upload_id": upload.multipart_id,
        "upload_bytes": upload.announced_bytes,
        "source": upload.source and asdict(upload.source),
        "source_host": upload.source_host,
        "input_version": upload.version,
        "input_bytes": upload.size_bytes,
    }


def _lease_to_attributes(lease: Lease | None) -> dict[str, Any]:
    return {
        "lease_owner": lease and lease.worker_id,
        "lease_expires_at": lease and lease.expires_at,
    }


def _progress_to_attributes(progress: Progress) -> dict[str, Any]:
    return {
        "frames_done": progress.frames_done,
        "frames_total": progress.frames_total,
        "parts_done": progress.parts_done or None,
    }


def _output_to_attributes(output: Output | None) -> dict[str, Any]:
    return {
        "output_path": output and output.key,
        "output_version": output and output.version,
        "output_index_version": output and output.index_version,
        **_summary_to_attributes(None if output is None else output.summary),
    }


def _summary_to_attributes(summary: SummaryOutput | None) -> dict[str, Any]:
    return {
        "summary_path": summary and summary.key,
        "summary_version": summary and summary.version,
        "tracks_path": summary and summary.tracks_key,
        "tracks_version": summary and summary.tracks_version,
        "tracks_index_version": summary and summary.tracks_index_version,
    }


def _error_to_attributes(error: Failure | None) -> dict[str, Any]:
    return {"error_code": error and error.code, "error_message": error and error.message}


def _video_to_attributes(video: VideoFacts | None) -> dict[str, Any]:
    return {"video": video and asdict(video)}


def _warnings_to_attributes(warnings: tuple[JobWarning, ...]) -> dict[str, Any]:
    return {
        "warnings": [warning.message for warning in warnings],
        "warning_codes": [str(warning.code) for warning in warnings] or None,
    }


def _delivery_to_attributes(delivery: Delivery | None) -> dict[str, Any]:
    if delivery is None:
        return {"webhook": None, "webhook_state": None}
    webhook = {
        "state": str(delivery.state),
        "attempts": delivery.attempts,
        "status_code": delivery.status_code,
        "error": delivery.error,
        "updated_at": to_iso(delivery.updated_at),
    }
    # The state is stored twice, because a condition cannot look into the JSON.
    return {"webhook": webhook, "webhook_state": webhook["state"]}


_NESTED: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "options": _options_to_attributes,
    "upload": _upload_to_attributes,
    "lease": _lease_to_attributes,
    "progress": _progress_to_attributes,
    "output": _output_to_attributes,
    "error": _error_to_attributes,
    "video": _video_to_attributes,
    "warnings": _warnings_to_attributes,
    "delivery": _delivery_to_attributes,
}
"""The fields of a job that are values with fields of their own, and how each becomes attributes."""


def _int(number: float | None) -> int | None:
    return None if number is None else int(number)


def _float(number: float | None) -> float | None:
    return None if number is None else float(number)


def _plain(value: Any) -> Any:
    if isinstance(value, JobStatus):
        return str(value)
    return list(value) if isinstance(value, tuple) else value
