"""The files that a completed job names."""

from __future__ import annotations

from video_jobs.domain.job import Job
from video_jobs.domain.keys import results_index_key, tracks_index_key
from video_jobs.ports import StorageService

Pinned = tuple[str, str | None]
"""A key, and the version that the job names."""


def files_of(job: Job) -> list[Pinned]:
    """Results, index, summary, tracks and their index; none if the job has not ended so."""
    output, job_id = job.output, job.job_id
    if output is None or output.summary is None:
        return []
    summary = output.summary
    return [
        (output.key, output.version),
        (results_index_key(job_id), output.index_version),
        (summary.key, summary.version),
        (summary.tracks_key, summary.tracks_version),
        (tracks_index_key(job_id), summary.tracks_index_version),
    ]


def contents_of(job: Job, storage: StorageService) -> list[bytes]:
    """The bytes of these files."""
    found = [(storage.find_file(key, version), version) for key, version in files_of(job)]
    return [storage.read_range(file.key, 0, file.size_bytes, version) for file, version in found if file]
