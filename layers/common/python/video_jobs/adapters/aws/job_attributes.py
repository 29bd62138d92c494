"""The conversion of a `Job` to the attributes of its item, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from itertools import zip_longest
from typing import Any

from video_jobs.adapters.aws.job_item import JobItem, due_shard_of
from video_jobs.domain.accounts import Place
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
        progress=Progress(
            int(item.frames_done),
            _int(item.frames_total),
            int(item.parts_done or 0),
            int(item.helpers or 0),
        ),
        output=_output_of(item),
        error=Failure(item.error_code, item.error_message or "") if item.error_code else None,
        video=VideoFacts(**_known(VideoFacts, item.video.as_dict())) if item.video else None,
        warnings=_warnings_of(item),
        fingerprint=item.fingerprint,
        delivery=_delivery_of(item.webhook) if item.webhook else None,
        usage=item.usage,
        retries=int(item.retries or 0),
        place=Place(item.place) if item.place else None,
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
        source=Source(**_known(Source, item.source)) if item.source else None,
        source_host=item.source_host,
        version=item.input_version,
        size_bytes=_int(item.input_bytes),
    )


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


def _known(kind: type[Source | VideoFacts], values: Mapping[str, Any]) -> dict[str, Any]:
    """Those values that are fields of ``kind``; an item of a later release may have others."""
    names = {spec.name for spec in fields(kind)}
    return {name: value for name, value in values.items() if name in names}


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
        "helpers": progress.helpers or None,
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
    "retries": lambda retries: {"retries": retries or None},
}
"""The fields of a job that are values with fields of their own, and how each becomes attributes."""


def _int(number: float | None) -> int | None:
    return None if number is None else int(number)


def _float(number: float | None) -> float | None:
    return None if number is None else float(number)


def _plain(value: Any) -> Any:
    if isinstance(value, JobStatus | Place):
        return str(value)
    return list(value) if isinstance(value, tuple) else value
