"""Use cases for the owner of jobs: find, list, cancel, retry, delete."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from video_jobs.domain import changes
from video_jobs.domain.changes import Expected
from video_jobs.domain.cursor import decode_cursor, encode_cursor
from video_jobs.domain.errors import (
    ConflictError,
    InvalidCursorError,
    JobNotFoundError,
    JobStateError,
    VideoMissingError,
)
from video_jobs.domain.job import Job, JobStatus, UploadState, from_iso, is_job_id, to_iso
from video_jobs.domain.keys import output_keys, parts_prefix
from video_jobs.ports import JobPosition, StoredFile
from video_jobs.use_cases.base import UseCases

CANCELLED = "cancelled"
JOBS_A_READ = 100
"""How many jobs a filtered page reads at most; it returns those that pass the filter."""

_TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """Which jobs to list; a field that is None filters nothing."""

    status: JobStatus | None = None
    pipeline_id: str | None = None

    def passes(self, job: Job) -> bool:
        """Whether the job is to be listed."""
        return self.status in (None, job.status) and self.pipeline_id in (None, job.options.pipeline_id)


@dataclass(frozen=True, slots=True)
class JobPage:
    """A page of jobs; ``next_cursor`` is None at the end. A filtered page may be short or empty."""

    jobs: list[Job]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class SignedVideo:
    """Where the accepted version of a job's video can be read until ``expires_at``."""

    url: str
    expires_at: datetime
    size_bytes: int


class Owner(UseCases):
    """`job` reads a job for its owner; the other use cases take the job that it returned."""

    def job(self, job_id: str, owner: str) -> Job:
        """Read a job. Another owner's job counts as not found, so that nobody learns that it exists.

        Raises
        ------
        JobNotFoundError
            If this owner has no such job.
        """
        job = self._ports.jobs.get_by_id(job_id) if is_job_id(job_id) else None
        if job is None or job.owner != owner:
            raise JobNotFoundError
        return job

    def list_jobs(self, owner: str, wanted: JobFilter, limit: int, cursor: str | None) -> JobPage:
        """List at most ``limit`` jobs from ``cursor`` on, newest first, in one read of the repository.

        Raises
        ------
        InvalidCursorError
            If the cursor was not made for this owner and this filter.
        """
        scope = (owner, wanted.status, wanted.pipeline_id)
        after = _position(decode_cursor(cursor, *scope)) if cursor else None
        asked = limit if wanted == JobFilter() else JOBS_A_READ
        page: list[Job] = []
        for seen, job in enumerate(self._ports.jobs.list_by_owner(owner, asked, after), start=1):
            if wanted.passes(job):
                page.append(job)
            if len(page) == limit or seen == asked:
                position = f"{to_iso(job.created_at)} {job.job_id}"
                return JobPage(page, encode_cursor(position, *scope))
        return JobPage(page, None)

    def video(self, job: Job) -> SignedVideo:
        """Sign a URL of exactly the video that is analysed, even if another one is uploaded later.

        Raises
        ------
        VideoMissingError
            If no video was accepted, or it no longer exists.
        """
        stored = self._accepted_video(job)
        if stored is None:
            raise VideoMissingError
        expires = self._rules.download_expires
        until = self._now() + expires
        url = self._ports.storage.presign_download(
            stored.key, expires_s=int(expires.total_seconds()), version=job.upload.version
        )
        return SignedVideo(url, until, stored.size_bytes)

    def cancel(self, job: Job) -> Job:
        """End an open job; its worker notices at the next heartbeat. A repeated call changes nothing.

        What was uploaded of an awaited multipart upload is removed, by a repeated call, too.

        Raises
        ------
        JobStateError
            If the job has ended in another way.
        """
        for _ in range(_TRIES):
            if job.error is not None and job.error.code == CANCELLED:
                return self._without_chunks(job)
            if not job.status.is_open:
                raise JobStateError(f"The job is {job.status} already and cannot be cancelled")
            try:
                change = changes.cancel(job, keep=self._rules.keep, now=self._now())
                return self._without_chunks(self._turns.end(job, change))
            except ConflictError:  # a worker claimed or ended it meanwhile: look again
                job = self.job(job.job_id, job.owner)
        raise ConflictError

    def abort_upload(self, job: Job) -> Job:
        """Cancel a job that awaits a multipart upload, and remove its chunks.

        Raises
        ------
        JobStateError
            If the job is not waiting for a multipart upload.
        """
        upload = job.upload
        if upload.multipart_id is None or upload.state is not UploadState.AWAITING:
            raise JobStateError("The job is not waiting for a multipart upload")
        return self.cancel(job)

    def retry(self, job: Job) -> Job:
        """Run a failed job again, under the next generation. If it cannot be sent now, `reconcile` sends it.

        Raises
        ------
        JobStateError
            If the job has not failed or was retried too often, or its video was never accepted or no longer
            exists.
        QuotaError
            If the owner would have more open jobs than he may.
        """
        if job.status is not JobStatus.FAILED:
            raise JobStateError(f"The job is {job.status}; only a failed job can be retried")
        if job.retries >= self._rules.max_retries:
            raise JobStateError(
                f"The job was retried {job.retries} times, which is as often as it may be; "
                "submit its video as a new job"
            )
        if self._accepted_video(job) is None:
            raise JobStateError("The job's video no longer exists; submit it again as a new job")
        try:
            job = self._turns.make_ready(job, changes.retry(job, now=self._now()))
        except ConflictError:
            raise JobStateError("The job was changed by another request; read it again") from None
        if not job.waits:
            self._turns.send(job)
        return job

    def delete(self, job: Job) -> None:
        """Delete a job with its files.

        The job is deleted last, so that after a crash a repeated call deletes the rest. A pending job is
        cancelled first, so that no worker claims it while its video is deleted.

        Raises
        ------
        JobStateError
            If the job is running, or was changed meanwhile.
        """
        if job.status is JobStatus.PENDING:
            job = self.cancel(job)
        if job.status is JobStatus.RUNNING:
            raise JobStateError("The job is running: cancel it first")
        self._without_chunks(job)
        self._ports.storage.delete_files(self._files_of(job))
        try:
            self._ports.jobs.delete(job.job_id, Expected(status=job.status, generation=job.generation))
        except ConflictError:
            raise JobStateError("The job was changed by another request; read it again") from None

    def _accepted_video(self, job: Job) -> StoredFile | None:
        if job.upload.state is not UploadState.ACCEPTED:
            return None
        return self._ports.storage.find_file(job.upload.key, job.upload.version)

    def _files_of(self, job: Job) -> Iterator[str]:
        yield from self._ports.storage.list_keys(parts_prefix(job.job_id))
        yield from (job.upload.key, *output_keys(job.job_id))


def _position(text: str) -> JobPosition:
    created_at, _, job_id = text.partition(" ")
    try:
        position = JobPosition(from_iso(created_at), job_id)
    except (ValueError, OverflowError):
        raise InvalidCursorError from None
    if not is_job_id(job_id) or to_iso(position.created_at) != created_at:
        raise InvalidCursorError
    return position
