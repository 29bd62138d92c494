"""Use cases for clients that submit a video, and for the event that a video has arrived."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from video_jobs.domain import changes
from video_jobs.domain.accounts import Place
from video_jobs.domain.changes import UPLOAD_GRACE
from video_jobs.domain.content_types import DEFAULT_CONTENT_TYPE, VideoContentType
from video_jobs.domain.errors import (
    ConflictError,
    IdempotencyMismatchError,
    InvalidVideoError,
    QuotaError,
    UnknownPipelineError,
    VideoTooLargeError,
)
from video_jobs.domain.fetch_changes import FETCH_PATIENCE
from video_jobs.domain.formats import needed_format
from video_jobs.domain.job import (
    Failure,
    Job,
    JobOptions,
    JobStatus,
    Source,
    Upload,
    UploadState,
    job_id_of_key,
)
from video_jobs.domain.keys import job_id_of_video, video_key
from video_jobs.domain.mp4 import MP4_HEAD_BYTES, check_mp4_head
from video_jobs.domain.normal_options import normalised
from video_jobs.domain.sources import host_of_source
from video_jobs.domain.text_engines import TextChoice
from video_jobs.domain.webhooks import check_callback_url
from video_jobs.ports import PresignedUpload, StoredFile, UploadTerms
from video_jobs.use_cases.base import UseCases


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A request for a new job.

    Attributes
    ----------
    content_type
        Of the video, as the client says; the storage keeps it.
    checksum_sha256
        Base64 of the SHA-256 of a video that is uploaded with a form; the storage refuses any other file.
    idempotency_key
        If an owner sends two requests with the same key, the second one finds the job of the first.
    """

    owner: str
    options: JobOptions = field(default_factory=JobOptions)
    content_type: VideoContentType = DEFAULT_CONTENT_TYPE
    checksum_sha256: str | None = None
    idempotency_key: str | None = None


class Intake(UseCases):
    """Submit a video in one of four ways; accept uploads.

    Each way of submitting raises `InvalidRequestError` if an option is wrong, `VideoTooLargeError` if the
    video is too large for it, `IdempotencyMismatchError` if the key was used for another request, and
    `QuotaError` if the owner would have more jobs than he may.
    """

    def submit_video(self, video: Path, submission: Submission) -> Job:
        """Make a job for a video that came in the request body.

        The job is saved before its video, because `accept_upload` deletes a video that has no job.

        Raises
        ------
        InvalidVideoError
            If the file does not start as an MP4 or MOV does.
        """
        size_bytes = video.stat().st_size
        if size_bytes > self._rules.max_body_bytes:
            raise VideoTooLargeError(
                f"The video has {size_bytes} bytes; a request body may have {self._rules.max_body_bytes}. "
                "Submit JSON with size_bytes instead and upload the file to the address in the answer."
            )
        with video.open("rb") as file:
            check_mp4_head(file.read(MP4_HEAD_BYTES))
        content = "" if submission.idempotency_key is None else _sha256(video)
        job = self._saved_or_known(self._new_job(submission, content))
        if job.awaits_upload:
            self._ports.storage.save_file(job.upload.key, video, submission.content_type)
        return job

    def submit_form(self, size_bytes: int, submission: Submission) -> tuple[Job, PresignedUpload]:
        """Make a job whose video the client uploads with a form; it starts when the video arrives."""
        check_size(size_bytes, self._rules.max_upload_bytes)
        job = self._new_job(submission, _announced(size_bytes, submission))
        job = replace(job, upload=replace(job.upload, announced_bytes=size_bytes))
        terms = UploadTerms(
            content_type=submission.content_type,
            max_bytes=size_bytes,
            expires_s=int(self._rules.upload_expires.total_seconds()),
            checksum_sha256=submission.checksum_sha256,
        )
        upload = self._ports.storage.presign_upload(job.upload.key, terms, job.created_at)
        return self._saved_or_known(job), upload

    def submit_multipart(self, size_bytes: int, submission: Submission) -> Job:
        """Make a job whose video the client uploads in chunks (`use_cases.multipart`).

        The upload is begun before the job is saved, so that no job lacks its upload. If the process dies
        in between, the lifecycle of the bucket aborts the upload.
        """
        check_size(size_bytes, self._rules.max_multipart_bytes)
        job = self._new_job(submission, f"multipart {_announced(size_bytes, submission)}")
        upload = replace(job.upload, announced_bytes=size_bytes)
        return self._saved_in_chunks(replace(job, upload=upload), submission)

    def submit_source(self, url: str, submission: Submission) -> Job:
        """Make a job whose video the service fetches from ``url`` (`use_cases.sources`).

        It is sent after it was saved. If the process dies in between, `reconcile` sends it.
        """
        host = host_of_source(url)
        job = self._new_job(submission, f"source {url}", "source_url")
        upload = replace(job.upload, state=UploadState.FETCHING, source=Source(url=url), source_host=host)
        due_at = job.created_at + FETCH_PATIENCE
        job = replace(job, upload=upload, due_at=due_at, place=Place.OPEN)
        job = self._saved_in_chunks(job, submission)
        if job.awaits_source:
            self._ports.fetches.send(job.job_id)
        return job

    def accept_upload(self, key: str, version: str | None = None) -> Job | None:
        """Check the video that arrived at ``key``, and queue its job or fail it.

        Calling it again for the same video changes nothing.

        Returns
        -------
        Job or None
            The job as it is now; None if there is no job for ``key``.
        """
        job_id = job_id_of_video(key)
        job = self._ports.jobs.get_by_id(job_id) if job_id else None
        found = self._ports.storage.find_file(key, version)
        if found is None:
            return job
        if job is None:
            self._ports.storage.delete_file(key)  # its job was deleted, or never existed
            return None
        if job.awaits_upload:
            job = self._checked(job, found)
        if job.status is JobStatus.PENDING and job.due_rank == 0 and job.queued_at is None:
            self._turns.send(job)
        return self._ports.jobs.get_by_id(job.job_id)

    def _checked(self, job: Job, found: StoredFile) -> Job:
        now, version = self._now(), found.version
        try:
            check_size(found.size_bytes, self._largest(job))
            check_mp4_head(self._ports.storage.read_range(found.key, 0, MP4_HEAD_BYTES, version))
        except (InvalidVideoError, VideoTooLargeError) as exc:
            failure = Failure(exc.code, exc.message)
            refusal = changes.refuse_upload(job, failure, keep=self._rules.keep, now=now)
            make = partial(self._turns.end, job, refusal)
        else:
            accept = changes.accept_upload(job, version=version, size_bytes=found.size_bytes, now=now)
            make = partial(self._turns.make_ready, job, accept)
        try:
            return make()
        except ConflictError:
            return self._ports.jobs.get_by_id(job.job_id) or job

    def _largest(self, job: Job) -> int:
        """The size in bytes that the job's video may have."""
        if job.awaits_source:
            return self._rules.max_multipart_bytes
        announced = job.upload.announced_bytes if job.upload.multipart_id else None
        return self._rules.max_upload_bytes if announced is None else announced

    def _saved_in_chunks(self, job: Job, submission: Submission) -> Job:
        """Begin a multipart upload for a new job and save the job, or return the one of the same key."""
        upload_id = self._ports.uploads.create(job.upload.key, submission.content_type)
        try:
            known = self._saved_or_known(replace(job, upload=replace(job.upload, multipart_id=upload_id)))
        except QuotaError:
            self._ports.uploads.abort(job.upload.key, upload_id)
            raise
        if known.upload.multipart_id != upload_id:
            self._ports.uploads.abort(job.upload.key, upload_id)
        return known

    def _saved_or_known(self, job: Job) -> Job:
        """Save a new job, or return the one that was saved under the same idempotency key."""
        jobs = self._ports.jobs
        try:
            self._turns.admit(job)
        except ConflictError:
            known = jobs.get_by_id(job.job_id)
            if known is None:
                raise
            if known.request_hash != job.request_hash:
                raise IdempotencyMismatchError from None
            return self._with_upload_expected(known, job)
        return job

    def _with_upload_expected(self, known: Job, again: Job) -> Job:
        """Let a known job wait for its upload for as long as a new one would."""
        if known.upload.state is not UploadState.AWAITING or again.due_at is None:
            return known
        change = changes.expect_upload(known, until=again.due_at, now=again.created_at)
        return self._change_unless_stale(known, change)

    def _new_job(self, submission: Submission, content: str, *ways: str) -> Job:
        submission = replace(submission, options=self.checked_options(submission.options))
        options = submission.options
        key = submission.idempotency_key
        job_id = self._ports.ids.new_id() if key is None else job_id_of_key(submission.owner, key)
        now = self._now()
        return Job(
            job_id=job_id,
            owner=submission.owner,
            created_at=now,
            updated_at=now,
            upload=Upload(key=video_key(job_id)),
            options=options,
            part_frames=self._rules.part_frames,
            needs=needed_format(_chosen(options).union(ways)),
            request_hash=None if key is None else _request_hash(submission, content),
            due_at=now + self._rules.upload_expires + UPLOAD_GRACE,
            place=Place.AWAITING,
        )

    def checked_options(self, options: JobOptions) -> JobOptions:
        """The options in the one form that all equal choices have.

        Raises
        ------
        InvalidRequestError
            If one is wrong, or several do not go together.
        """
        if options.pipeline_id not in self._rules.known_pipelines:
            known = ", ".join(sorted(self._rules.known_pipelines))
            raise UnknownPipelineError(
                f"There is no pipeline {options.pipeline_id!r}; choose one of: {known}"
            )
        if options.callback_url is not None:
            check_callback_url(options.callback_url, self._rules.webhook_networks)
        text = TextChoice.of(options.text_engine, options.languages)
        text.check_languages(self._rules.known_languages)
        return normalised(replace(options, text_engine=text.engine, languages=text.languages))


def check_size(size_bytes: int, largest: int) -> None:
    """Raise `VideoTooLargeError` if a video has more bytes than are allowed."""
    if size_bytes > largest:
        raise VideoTooLargeError(f"The video has {size_bytes} bytes; at most {largest} are allowed")


def _announced(size_bytes: int, submission: Submission) -> str:
    """What the client says of a video that it has still to upload.

    A type counts only if it is not the default, so that stored hashes stay valid.
    """
    chosen = submission.content_type != DEFAULT_CONTENT_TYPE
    return f"{size_bytes} {submission.content_type}" if chosen else str(size_bytes)


def _chosen(options: JobOptions) -> set[str]:
    """The names of the options that differ from their default."""
    default = JobOptions()
    return {name for name in JobOptions.__slots__ if getattr(options, name) != getattr(default, name)}


def _request_hash(submission: Submission, content: str) -> str:
    """Hash of the options and of the video or its size; equal for equal requests.

    Options of later releases count only if they are chosen, so that stored hashes stay valid.
    """
    options = submission.options
    parts = (options.pipeline_id, options.frame_stride, options.max_frames, options.filename, content)
    later = {
        "callback_url": options.callback_url,
        "checksum_sha256": submission.checksum_sha256,
        "text_engine": options.text_engine,
        "languages": options.languages or None,
        "classes": options.classes or None,
        "min_confidence": options.min_confidence,
        "region": None if options.region is None else tuple(options.region),
        "start_ms": options.start_ms,
        "end_ms": options.end_ms,
        "frames_per_second": options.frames_per_second,
    }
    chosen = tuple((name, value) for name, value in later.items() if value is not None)
    return hashlib.sha256(repr(parts + chosen).encode()).hexdigest()


def _sha256(video: Path) -> str:
    with video.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
