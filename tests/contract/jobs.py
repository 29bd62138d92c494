"""Jobs for the contract of the repositories."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from video_jobs.domain.accounts import Place
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
)
from video_jobs.domain.region import Region
from video_jobs.domain.usage import Usage
from video_jobs.domain.video import JobWarning, VideoFacts

NOW = datetime(2026, 1, 1, 12, 30, 15, 123456, tzinfo=UTC)
WHOLE_SECOND = NOW.replace(microsecond=0)
"""The table's time to live has no fractions."""
LEASE = timedelta(seconds=60)
KEEP = timedelta(days=30)
JOB_ID = "11111111-1111-4111-8111-111111111111"
WHY = Failure("x", "why")
VIDEO = VideoFacts(
    container="mov",
    codec="h264",
    width=1080,
    height=1920,
    frame_count=40,
    duration_ms=1334.667,
    average_frame_rate=29.97,
    first_picture_ms=66.733,
    rotation=90,
    mirrored=True,
    interlaced=True,
    variable_frame_rate=True,
    hdr="hlg",
)


def make_job(job_id: str = JOB_ID, **values: Any) -> Job:
    job = Job(
        job_id=job_id,
        owner="ann",
        created_at=NOW,
        updated_at=NOW,
        upload=Upload(key=f"video_jobs/{job_id}.mp4"),
    )
    return replace(job, **values)


def full_job() -> Job:
    """A job in which no field, and no field of a part, has its default."""
    return Job(
        job_id=JOB_ID,
        owner="ann",
        created_at=NOW,
        updated_at=NOW + timedelta(seconds=1),
        status=JobStatus.RUNNING,
        options=JobOptions(
            pipeline_id="ocr_only",
            frame_stride=2,
            max_frames=30,
            filename="a.mp4",
            callback_url="https://receiver.example/hook",
            text_engine="tesseract",
            languages=("deu", "eng"),
            classes=("car", "person"),
            min_confidence=0.25,
            region=Region(0.0, 0.1, 0.5, 1.0),
            start_ms=33.367,
            end_ms=60000.0,
            frames_per_second=0.1,
        ),
        part_frames=8,
        needs=2,
        request_hash="hash",
        upload=Upload(
            key=f"video_jobs/{JOB_ID}.mp4",
            state=UploadState.FETCHING,
            multipart_id="u",
            announced_bytes=11,
            source=Source(url="https://source.example/a?s=1", etag='"e"', begun=2, failures=1),
            source_host="source.example",
            version="v1",
            size_bytes=10,
        ),
        generation=3,
        queued_at=NOW + timedelta(seconds=2),
        due_at=NOW + timedelta(seconds=3),
        attempt=2,
        failures=1,
        crashes=4,
        lease=Lease("a", NOW + LEASE),
        progress=Progress(5, 30, 1, 2),
        output=Output("job_results/o", "v2", "v3", SummaryOutput("s", "v4", "t", "v5", "v6")),
        error=WHY,
        video=VIDEO,
        warnings=(JobWarning("size_changed", "smaller"), JobWarning("other", "short")),
        fingerprint={"model": "m"},
        delivery=Delivery(
            state=DeliveryState.RETRYING, attempts=1, updated_at=NOW, status_code=500, error="no"
        ),
        usage=Usage(compute_ms=1500, frames=7, bytes=20, cost_usd=Decimal("0.000219")),
        retries=2,
        place=Place.SENT,
        expires_at=WHOLE_SECOND,
    )
