"""Take a new job."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from video_jobs.domain import transitions
from video_jobs.domain.errors import (
    ConflictError,
    IdempotencyMismatchError,
    UnknownPipelineError,
    VideoTooLargeError,
)
from video_jobs.domain.job import (
    DEFAULT_PART_FRAMES,
    DEFAULT_PIPELINE_ID,
    Job,
    JobStatus,
    UploadState,
    job_id_of_key,
)
from video_jobs.domain.keys import video_key
from video_jobs.domain.mp4 import MP4_HEAD_BYTES, check_mp4_head
from video_jobs.domain.transitions import UPLOAD_GRACE
from video_jobs.domain.webhooks import check_callback_url
from video_jobs.ports import (
    Clock,
    IdFactory,
    JobRepository,
    MultipartUploads,
    PresignedUpload,
    StorageService,
)

VIDEO_CONTENT_TYPE = "video/mp4"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitOptions:
    """What the client chooses.

    ``checksum_sha256`` is the base64 of the SHA-256 of a video that is uploaded as a form; the storage
    then takes no other.
    """

    pipeline_id: str = DEFAULT_PIPELINE_ID
    frame_stride: int = 1
    max_frames: int | None = None
    filename: str | None = None
    callback_url: str | None = None
    checksum_sha256: str | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitLimits:
    """What the service allows."""

    known_pipelines: frozenset[str]
    max_body_bytes: int
    max_upload_bytes: int
    upload_expires: timedelta
    max_multipart_bytes: int = 0
    part_frames: int = DEFAULT_PART_FRAMES
    webhook_networks: tuple[str, ...] = ()


def submit_video(
    video: Path,
    owner: str,
    options: SubmitOptions,
    *,
    jobs: JobRepository,
    storage: StorageService,
    clock: Clock,
    ids: IdFactory,
    limits: SubmitLimits,
) -> Job:
    """A job for a video that came with the request: first the item, then the object."""
    size_bytes = video.stat().st_size
    if size_bytes > limits.max_body_bytes:
        raise VideoTooLargeError(
            f"The video has {size_bytes} bytes; a request body takes {limits.max_body_bytes}. "
            "Submit JSON with size_bytes instead and upload the file to the address in the answer."
        )
    with video.open("rb") as file:
        check_mp4_head(file.read(MP4_HEAD_BYTES))
    content = "" if options.idempotency_key is None else _sha256(video)
    job = _new_job(owner, options, content, clock=clock, ids=ids, limits=limits)
    job = _saved_or_known(job, jobs)
    if job.upload_state is UploadState.AWAITING and job.status is JobStatus.PENDING:
        storage.save_file(job.input_path, video, VIDEO_CONTENT_TYPE)
    return job


def submit_job(
    size_bytes: int,
    owner: str,
    options: SubmitOptions,
    *,
    jobs: JobRepository,
    storage: StorageService,
    clock: Clock,
    ids: IdFactory,
    limits: SubmitLimits,
) -> tuple[Job, PresignedUpload]:
    """A job whose video the client uploads by itself; it starts when the object lands."""
    if size_bytes > limits.max_upload_bytes:
        raise VideoTooLargeError(
            f"The video has {size_bytes} bytes; the largest that is taken has {limits.max_upload_bytes}"
        )
    job = _new_job(owner, options, str(size_bytes), clock=clock, ids=ids, limits=limits)
    upload = storage.presign_upload(
        job.input_path,
        content_type=VIDEO_CONTENT_TYPE,
        max_bytes=size_bytes,
        expires_s=int(limits.upload_expires.total_seconds()),
        now=job.created_at,
        checksum_sha256=options.checksum_sha256,
    )
    return _saved_or_known(job, jobs), upload


def submit_multipart(
    size_bytes: int,
    owner: str,
    options: SubmitOptions,
    *,
    jobs: JobRepository,
    uploads: MultipartUploads,
    clock: Clock,
    ids: IdFactory,
    limits: SubmitLimits,
) -> Job:
    """A job whose video the client uploads in parts.

    The upload is begun before the job is saved: what a crash in between leaves behind is aborted by the
    bucket's lifecycle, and no job is without its upload.
    """
    if size_bytes > limits.max_multipart_bytes:
        raise VideoTooLargeError(
            f"The video has {size_bytes} bytes; the largest that is taken has {limits.max_multipart_bytes}"
        )
    job = _new_job(owner, options, f"multipart {size_bytes}", clock=clock, ids=ids, limits=limits)
    upload_id = uploads.create(job.input_path, VIDEO_CONTENT_TYPE)
    known = _saved_or_known(replace(job, upload_id=upload_id, upload_bytes=size_bytes), jobs)
    if known.upload_id != upload_id:
        uploads.abort(job.input_path, upload_id)
    return known


def _saved_or_known(job: Job, jobs: JobRepository) -> Job:
    """Save a new job; where its idempotency key was used before, give the job of then."""
    try:
        jobs.save(job)
    except ConflictError:
        known = jobs.get_by_id(job.job_id)
        if known is None:
            raise
        if known.request_hash != job.request_hash:
            raise IdempotencyMismatchError from None
        return _with_upload_expected(known, job, jobs)
    return job


def _with_upload_expected(known: Job, again: Job, jobs: JobRepository) -> Job:
    """The known job, waiting for its upload for as long as a new one would."""
    if known.upload_state is not UploadState.AWAITING or again.due_at is None:
        return known
    change = transitions.expect_upload(known, until=again.due_at, now=again.created_at)
    try:
        return jobs.update_status(known.job_id, change)
    except ConflictError:
        return jobs.get_by_id(known.job_id) or known  # it landed, or was failed, meanwhile


def _new_job(
    owner: str,
    options: SubmitOptions,
    content: str,
    *,
    clock: Clock,
    ids: IdFactory,
    limits: SubmitLimits,
) -> Job:
    if options.pipeline_id not in limits.known_pipelines:
        known = ", ".join(sorted(limits.known_pipelines))
        raise UnknownPipelineError(f"There is no pipeline {options.pipeline_id!r}; there are: {known}")
    if options.callback_url is not None:
        check_callback_url(options.callback_url, limits.webhook_networks)
    key = options.idempotency_key
    job_id = ids.new_id() if key is None else job_id_of_key(owner, key)
    now = clock.now()
    return Job(
        job_id=job_id,
        owner=owner,
        created_at=now,
        updated_at=now,
        input_path=video_key(job_id),
        pipeline_id=options.pipeline_id,
        frame_stride=options.frame_stride,
        max_frames=options.max_frames,
        filename=options.filename,
        callback_url=options.callback_url,
        request_hash=None if key is None else _request_hash(options, content),
        part_frames=limits.part_frames,
        due_at=now + limits.upload_expires + UPLOAD_GRACE,
    )


def _request_hash(options: SubmitOptions, content: str) -> str:
    """What makes two requests the same: every option, and the video or its size.

    Options that came later count only where they are chosen: hashes that are stored already stay right.
    """
    parts = (options.pipeline_id, options.frame_stride, options.max_frames, options.filename, content)
    later = {"callback_url": options.callback_url, "checksum_sha256": options.checksum_sha256}
    chosen = tuple((name, value) for name, value in later.items() if value is not None)
    return hashlib.sha256(repr(parts + chosen).encode()).hexdigest()


def _sha256(video: Path) -> str:
    with video.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
