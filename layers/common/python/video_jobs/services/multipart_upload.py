"""Upload a large video in parts: sign them just in time, see which are there, complete, abort."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from video_jobs.domain import transitions
from video_jobs.domain.errors import FileMissingError, JobStateError, UploadIncompleteError
from video_jobs.domain.job import Job, JobStatus, UploadState
from video_jobs.domain.multipart import part_sizes, size_of_part
from video_jobs.domain.transitions import UPLOAD_GRACE
from video_jobs.ports import Clock, JobRepository, MultipartUploads, StorageService, StoredPart
from video_jobs.services.cancel_job import cancel_job
from video_jobs.services.get_job import get_job

_MISSING_NAMED = 10


@dataclass(frozen=True, slots=True)
class SignedPart:
    """Where one part is to be PUT: exactly ``size_bytes`` of the video."""

    number: int
    size_bytes: int
    url: str


def sign_parts(
    job_id: str,
    owner: str,
    numbers: list[int],
    *,
    jobs: JobRepository,
    uploads: MultipartUploads,
    clock: Clock,
    expires: timedelta,
) -> tuple[list[SignedPart], datetime]:
    """URLs for some parts, and when they expire; the job waits for its video for as long again.

    Raises
    ------
    JobStateError
        If the job awaits no multipart upload.
    InvalidRequestError
        If there is no such part.
    """
    job, upload_id, size_bytes = _awaiting(job_id, owner, jobs)
    until = clock.now() + expires
    signed = [
        SignedPart(
            number,
            size := size_of_part(size_bytes, number),
            uploads.presign_part(
                job.input_path, upload_id, number, size_bytes=size, expires_s=int(expires.total_seconds())
            ),
        )
        for number in numbers
    ]
    jobs.update_status(job_id, transitions.expect_upload(job, until=until + UPLOAD_GRACE, now=clock.now()))
    return signed, until


def uploaded_parts(
    job_id: str, owner: str, *, jobs: JobRepository, uploads: MultipartUploads
) -> tuple[Job, list[StoredPart]]:
    """The parts that are there, so that a client that was cut off uploads only the others."""
    job, upload_id, _ = _awaiting(job_id, owner, jobs)
    return job, _parts(job, upload_id, uploads)


def complete_upload(
    job_id: str,
    owner: str,
    *,
    jobs: JobRepository,
    storage: StorageService,
    uploads: MultipartUploads,
) -> Job:
    """Make one object of the parts; the job starts when it lands. Completing again changes nothing.

    Raises
    ------
    UploadIncompleteError
        If parts are missing, or are not of the size that was announced.
    """
    job = get_job(job_id, owner, jobs=jobs)
    if job.upload_id is not None and storage.find_file(job.input_path) is not None:
        return job  # it was completed before, and the answer was lost
    job, upload_id, size_bytes = _awaiting(job_id, owner, jobs)
    stored = {part.number: part for part in _parts(job, upload_id, uploads)}
    sizes = dict(enumerate(part_sizes(size_bytes), start=1))
    wrong = [number for number, size in sizes.items() if _size(stored.get(number)) != size]
    if wrong:
        named = ", ".join(str(number) for number in wrong[:_MISSING_NAMED])
        more = ", ..." if len(wrong) > _MISSING_NAMED else ""
        raise UploadIncompleteError(f"Upload these parts (again), then complete: {named}{more}")
    uploads.complete(job.input_path, upload_id, [stored[number] for number in sizes])
    return job


def abort_upload(
    job_id: str,
    owner: str,
    *,
    jobs: JobRepository,
    uploads: MultipartUploads,
    clock: Clock,
    keep: timedelta,
) -> Job:
    """Give the upload up: its job is cancelled, and what was uploaded is removed."""
    job = get_job(job_id, owner, jobs=jobs)
    if job.upload_id is None or job.upload_state is not UploadState.AWAITING:
        raise JobStateError("The job awaits no upload in parts")
    job = cancel_job(job_id, owner, jobs=jobs, clock=clock, keep=keep)
    uploads.abort(job.input_path, job.upload_id or "")
    return job


def _awaiting(job_id: str, owner: str, jobs: JobRepository) -> tuple[Job, str, int]:
    job = get_job(job_id, owner, jobs=jobs)
    waits = job.status is JobStatus.PENDING and job.upload_state is UploadState.AWAITING
    if job.upload_id is None or job.upload_bytes is None or not waits:
        raise JobStateError("The job awaits no upload in parts")
    return job, job.upload_id, job.upload_bytes


def _parts(job: Job, upload_id: str, uploads: MultipartUploads) -> list[StoredPart]:
    try:
        return uploads.list_parts(job.input_path, upload_id)
    except FileMissingError:
        raise JobStateError("The upload is gone; submit the job again as a new one") from None


def _size(part: StoredPart | None) -> int | None:
    return None if part is None else part.size_bytes
