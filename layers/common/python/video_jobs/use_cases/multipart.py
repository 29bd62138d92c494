"""Use cases for clients that upload a large video in chunks: sign chunks, list them, complete."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from video_jobs.domain import changes
from video_jobs.domain.changes import UPLOAD_GRACE
from video_jobs.domain.chunks import chunk_sizes, size_of_chunk
from video_jobs.domain.errors import FileMissingError, JobStateError, UploadIncompleteError
from video_jobs.domain.job import Job
from video_jobs.ports import StoredChunk
from video_jobs.use_cases.base import UseCases

_MISSING_NAMED = 10


@dataclass(frozen=True, slots=True)
class SignedChunk:
    """Where one chunk is to be PUT: exactly ``size_bytes`` of the video."""

    number: int
    size_bytes: int
    url: str


class Multipart(UseCases):
    """Every use case takes a job that its owner submitted as a multipart upload.

    All of them raise `JobStateError` if the job does not await such an upload.
    """

    def sign_chunks(self, job: Job, numbers: list[int]) -> tuple[list[SignedChunk], datetime]:
        """Sign URLs for some chunks, and let the job wait for its video until after they expire.

        Returns
        -------
        tuple of list of SignedChunk, and datetime
            The signed chunks in the order of ``numbers``, and when their URLs expire.

        Raises
        ------
        InvalidRequestError
            If the video has no such chunk.
        """
        upload_id, size_bytes = _awaited(job)
        sizes = [(number, size_of_chunk(size_bytes, number)) for number in numbers]
        signed = [
            SignedChunk(number, size, self._sign(job, upload_id, number, size)) for number, size in sizes
        ]
        now = self._now()
        until = now + self._rules.upload_expires
        self._ports.jobs.update_status(changes.expect_upload(job, until=until + UPLOAD_GRACE, now=now))
        return signed, until

    def uploaded_chunks(self, job: Job) -> list[StoredChunk]:
        """The chunks that were uploaded, so that an interrupted client uploads only the others."""
        upload_id, _ = _awaited(job)
        try:
            return self._ports.uploads.list_chunks(job.upload.key, upload_id)
        except FileMissingError:
            raise _gone() from None

    def complete_upload(self, job: Job) -> Job:
        """Join the chunks into the video; the job starts when it arrives. A repeated call changes nothing.

        Raises
        ------
        UploadIncompleteError
            If chunks are missing or have the wrong size.
        """
        if job.upload.multipart_id is not None and self._has_arrived(job):
            return job  # it was completed before, and the answer was lost
        try:
            self._join_chunks(job)
        except FileMissingError:
            if not self._has_arrived(job):  # if it has, another request completed it meanwhile
                raise _gone() from None
        return job

    def _has_arrived(self, job: Job) -> bool:
        return self._ports.storage.find_file(job.upload.key) is not None

    def _join_chunks(self, job: Job) -> None:
        upload_id, size_bytes = _awaited(job)
        stored = {chunk.number: chunk for chunk in self._ports.uploads.list_chunks(job.upload.key, upload_id)}
        sizes = dict(enumerate(chunk_sizes(size_bytes), start=1))
        _check_complete({number: chunk.size_bytes for number, chunk in stored.items()}, sizes)
        self._ports.uploads.complete(job.upload.key, upload_id, [stored[number] for number in sizes])

    def _sign(self, job: Job, upload_id: str, number: int, size_bytes: int) -> str:
        expires_s = int(self._rules.upload_expires.total_seconds())
        return self._ports.uploads.presign_chunk(
            job.upload.key, upload_id, number, size_bytes=size_bytes, expires_s=expires_s
        )


def _awaited(job: Job) -> tuple[str, int]:
    """Id and size in bytes of the upload that the job is waiting for."""
    upload = job.upload
    if upload.multipart_id is None or upload.announced_bytes is None or not job.awaits_upload:
        raise JobStateError("The job is not waiting for a multipart upload")
    return upload.multipart_id, upload.announced_bytes


def _gone() -> JobStateError:
    return JobStateError("The upload is gone; submit the job again as a new one")


def _check_complete(stored: dict[int, int], announced: dict[int, int]) -> None:
    wrong = [number for number, size in announced.items() if stored.get(number) != size]
    if wrong:
        named = ", ".join(str(number) for number in wrong[:_MISSING_NAMED])
        more = ", ..." if len(wrong) > _MISSING_NAMED else ""
        raise UploadIncompleteError(f"Upload these parts (again), then complete: {named}{more}")
