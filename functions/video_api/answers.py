"""JSON answers: a job as its owner sees it, with its headers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from aws_lambda_powertools.event_handler import Response
from video_jobs.domain.job import Job, JobStatus, to_iso

POLL_AGAIN_S = 2
"""Seconds after which a client should ask again for a job that has not ended."""


def json_answer(
    body: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response[str]:
    """An answer of one JSON object."""
    return Response(status, "application/json", json.dumps(body), {**(headers or {})})


def job_answer(job: Job) -> Response[str]:
    """An answer of one job, with the headers for polling."""
    return json_answer(job_resource(job), headers=polling_headers(job))


def polling_headers(*jobs: Job) -> Mapping[str, str]:
    """``Retry-After`` while one of the jobs has not ended."""
    return {"Retry-After": str(POLL_AGAIN_S)} if any(job.status.is_open for job in jobs) else {}


def job_resource(job: Job) -> dict[str, Any]:
    """The job as JSON; ``percent`` is 100 only when the results are stored."""
    return {
        "job_id": job.job_id,
        "status": job.status,
        "progress": job.status.progress,
        "pipeline_id": job.options.pipeline_id,
        "frame_stride": job.options.frame_stride,
        "max_frames": job.options.max_frames,
        "filename": job.options.filename,
        "text_engine": job.options.text_engine,
        "languages": list(job.options.languages),
        "classes": list(job.options.classes),
        "min_confidence": job.options.min_confidence,
        "region": None if job.options.region is None else list(job.options.region),
        "start_ms": job.options.start_ms,
        "end_ms": job.options.end_ms,
        "frames_per_second": job.options.frames_per_second,
        "source_host": job.upload.source_host,
        "size_bytes": job.upload.size_bytes,
        "frames_done": job.progress.frames_done,
        "frames_total": job.progress.frames_total,
        "percent": _percent(job),
        "helpers": job.progress.helpers if job.status is JobStatus.RUNNING else 0,
        "attempt": job.attempt,
        "video": None if job.video is None else asdict(job.video),
        "warnings": [warning.message for warning in job.warnings],
        "warning_details": [asdict(warning) for warning in job.warnings],
        "fingerprint": job.fingerprint,
        "error": None if job.error is None else {"code": job.error.code, "message": job.error.message},
        "webhook": _webhook(job),
        "usage": _usage(job),
        "created_at": to_iso(job.created_at),
        "updated_at": to_iso(job.updated_at),
    }


def _webhook(job: Job) -> dict[str, Any] | None:
    """The state of the job's webhook; None if it has none."""
    delivery = job.delivery
    if job.options.callback_url is None:
        return None
    return {
        "callback_url": job.options.callback_url,
        "state": "waiting" if delivery is None else delivery.state,
        "attempts": 0 if delivery is None else delivery.attempts,
        "status_code": None if delivery is None else delivery.status_code,
        "error": None if delivery is None else delivery.error,
        "updated_at": None if delivery is None else to_iso(delivery.updated_at),
    }


def _usage(job: Job) -> dict[str, Any] | None:
    """What the ended job used; None before its end, or if no worker told."""
    if job.status.is_open or job.usage is None:
        return None
    cost = job.usage.cost_usd
    return {
        "compute_seconds": job.usage.compute_ms / 1000,
        "frames": job.usage.frames,
        "bytes": job.usage.bytes,
        "cost_usd": None if cost is None else float(cost),
    }


def _percent(job: Job) -> int | None:
    """Share of the frames that are analysed, 0-100; None if their number is not known."""
    if job.status is JobStatus.COMPLETED:
        return 100
    if not job.progress.frames_total:
        return 0 if job.status is JobStatus.PENDING else None
    return min(99, 100 * job.progress.frames_done // job.progress.frames_total)
