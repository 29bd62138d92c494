"""A video has landed in the storage: check it, and queue its job or fail it."""

from __future__ import annotations

from datetime import timedelta

from video_jobs.domain import transitions
from video_jobs.domain.errors import ConflictError, InvalidVideoError, VideoTooLargeError
from video_jobs.domain.job import Job, JobStatus, UploadState
from video_jobs.domain.keys import job_id_of_video
from video_jobs.domain.mp4 import MP4_HEAD_BYTES, check_mp4_head
from video_jobs.ports import Clock, JobRepository, QueueService, StorageService, StoredFile
from video_jobs.services.queue_job import queue_job


def accept_upload(
    key: str,
    version: str | None,
    *,
    jobs: JobRepository,
    storage: StorageService,
    queue: QueueService,
    clock: Clock,
    max_upload_bytes: int,
    keep: timedelta,
) -> Job | None:
    """Accept the video at ``key``; telling it twice, or late, changes nothing.

    Returns
    -------
    Job or None
        The job as it is now; None where the key is no job's video or the object is gone.
    """
    job_id = job_id_of_video(key)
    job = jobs.get_by_id(job_id) if job_id else None
    found = storage.find_file(key, version)
    if found is None:
        return job
    if job is None:
        storage.delete_file(key)  # an upload for a job that does not exist (any more)
        return None
    if job.upload_state is UploadState.AWAITING and job.status is JobStatus.PENDING:
        job = _checked(job, found, jobs, storage, clock, max_upload_bytes, keep)
    if job.status is JobStatus.PENDING and job.queued_at is None:
        queue_job(job, jobs=jobs, queue=queue, clock=clock)
    return jobs.get_by_id(job.job_id)


def _checked(
    job: Job,
    found: StoredFile,
    jobs: JobRepository,
    storage: StorageService,
    clock: Clock,
    max_upload_bytes: int,
    keep: timedelta,
) -> Job:
    try:
        largest = max_upload_bytes if job.upload_bytes is None else job.upload_bytes
        if found.size_bytes > largest:
            raise VideoTooLargeError(
                f"The video has {found.size_bytes} bytes; the largest that is taken has {largest}"
            )
        check_mp4_head(storage.read_range(found.key, 0, MP4_HEAD_BYTES, found.version))
        change = transitions.accept_upload(
            job, version=found.version, size_bytes=found.size_bytes, now=clock.now()
        )
    except (InvalidVideoError, VideoTooLargeError) as exc:
        change = transitions.fail_unheld(job, code=exc.code, message=exc.message, keep=keep, now=clock.now())
    try:
        return jobs.update_status(job.job_id, change)
    except ConflictError:
        return jobs.get_by_id(job.job_id) or job  # the same event, handled by another at the same time
