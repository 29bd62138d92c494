"""Measured speeds for tests: of jobs that analysed 300 frames of a video of 10 seconds and 1 MB."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from video_jobs.domain.job import Job, JobOptions, Upload
from video_jobs.domain.speeds import JobTiming, Speed
from video_jobs.domain.video import VideoFacts

from tests.contract.jobs import NOW, VIDEO

FACTS = replace(VIDEO, width=1280, height=720, frame_count=300, duration_ms=10_000.0, average_frame_rate=30.0)
JOB = Job(
    job_id="j",
    owner="ann",
    created_at=NOW,
    updated_at=NOW,
    upload=Upload(key="k", size_bytes=1_000_000),
    video=FACTS,
    fingerprint={"id": "f1"},
)
TIMING = JobTiming(compute_ms=4000, fetch_ms=500, analysis_ms=3000, frames=300)
"""10 ms a frame, 0.5 s to fetch the video, 0.5 s for the rest."""


def job(video: VideoFacts | None = FACTS, **options: Any) -> Job:
    """A job with other options."""
    return replace(JOB, video=video, options=JobOptions(**options))


def measured(*timings: JobTiming, of: Job = JOB, at: datetime = NOW) -> Speed:
    """What one job of each timing added up to."""
    return summed(made for timing in timings if (made := Speed.of_job(of, timing, at)))


def summed(speeds: Iterable[Speed]) -> Speed:
    """The sum of at least one."""
    total: Speed | None = None
    for speed in speeds:
        total = speed.added_to(total)
    assert total is not None
    return total
