"""Fetch the video of a job."""

from __future__ import annotations

from pathlib import Path

from video_jobs.domain.errors import FileMissingError, UnreadableVideoError
from video_jobs.domain.job import Job
from video_jobs.ports import StorageService

from video_worker.analysis import RunRequest


def fetch_video(job: Job, folder: Path, storage: StorageService) -> Path:
    """Fetch the accepted version of the video.

    Raises
    ------
    UnreadableVideoError
        If it was deleted.
    """
    video = folder / "video.mp4"
    try:
        storage.load_file(job.upload.key, video, job.upload.version)
    except FileMissingError:
        raise UnreadableVideoError(
            "Unable to read video file: it was deleted from the storage; submit the job again"
        ) from None
    return video


def request_of(job: Job, video: Path) -> RunRequest:
    """A run of the whole job."""
    return RunRequest(
        video,
        job.options.pipeline_id,
        job.options.sampling,
        job.options.max_frames,
        part_frames=job.part_frames,
        text=job.options.text,
        objects=job.options.objects,
        region=job.options.region,
    )
