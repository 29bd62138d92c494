"""Fetch the video of a job."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from video_jobs.domain.errors import FileMissingError, UnreadableVideoError
from video_jobs.domain.job import Job
from video_jobs.domain.segments import Segment
from video_jobs.ports import StorageService

from video_worker.analysis import RunRequest
from video_worker.part_ranges import Excerpt
from video_worker.parts import StoredParts


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


class Fetched(NamedTuple):
    """A video, or an excerpt of it, and how many bytes were fetched."""

    video: Path
    excerpt: Excerpt | None
    size_bytes: int


def fetch_for(
    job: Job, segment: Segment, folder: Path, parts: StoredParts, storage: StorageService
) -> Fetched:
    """Fetch what a segment takes of its video."""
    if segment.ranges is None:
        video = fetch_video(job, folder, storage)
        return Fetched(video, None, video.stat().st_size)
    video, index = folder / "video.mp4", folder / "video.index"
    storage.load_ranges(job.upload.key, video, segment.ranges, job.upload.version)
    parts.load_index(index)
    size_bytes = sum(one.size for one in segment.ranges) + index.stat().st_size
    return Fetched(video, Excerpt(segment.ranges, index), size_bytes)


def request_of(job: Job, video: Path) -> RunRequest:
    """A run of the whole job."""
    return RunRequest.of(video, job.options, job.part_frames)
