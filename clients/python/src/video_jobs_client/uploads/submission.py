"""Submit a job with its video: in the request, with a form, in parts, or by its URL."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from video_jobs_client.errors import (
    ApiError,
    ArgumentError,
    IdempotencyMismatchError,
    JobNotFoundError,
    JobStateError,
    NotFoundError,
    UploadError,
    VideoFileChangedError,
    VideoTooLargeError,
)
from video_jobs_client.models import MultipartOffer, Upload, UploadOffered, UploadProgress
from video_jobs_client.options import Options, as_json, as_query
from video_jobs_client.protocol.answers import refusal_of
from video_jobs_client.protocol.calls import Calls
from video_jobs_client.protocol.effects import Request, Steps, call
from video_jobs_client.protocol.retries import ask
from video_jobs_client.uploads.copies import Copies
from video_jobs_client.uploads.form import form_of
from video_jobs_client.uploads.multipart import MultipartUpload
from video_jobs_client.uploads.progress import Meter, UploadState
from video_jobs_client.uploads.sources import LocalFile, RemoteVideo, Source, Video, opened
from video_jobs_client.uploads.unfinished import Unfinished, UnfinishedUploads, name_of

MIB = 2**20
Method = Literal["body", "form", "multipart"]
StorageMethod = Literal["form", "multipart"]
_LARGER: dict[str, Method] = {"body": "form", "form": "multipart"}
_SIGNATURES = 3


@dataclass(frozen=True, slots=True)
class UploadSettings:
    """How to upload a video.

    Attributes
    ----------
    method
        ``body`` sends it in the request, ``form`` to S3 in one piece, ``multipart`` to S3 in parts; ``auto``
        chooses by its size, and takes the next one if the service finds it too large.
    on_progress
        Is told each time that something was sent, never by two threads at a time.
    parallel
        How many parts are sent at the same time.
    resume
        Go on with an interrupted upload of the same file, to the same service, with the same options.
    unfinished
        Where those are remembered.

    Examples
    --------
    >>> upload = UploadSettings(on_progress=lambda state: print(f"{state.sent_bytes:,} bytes"))
    >>> job = client.analyse("clip.mp4", upload=upload, max_frames=1)
    140,089 bytes
    """

    method: Literal["auto", "body", "form", "multipart"] = "auto"
    on_progress: Callable[[UploadState], None] | None = None
    parallel: int = 4
    resume: bool = True
    unfinished: UnfinishedUploads = field(default_factory=UnfinishedUploads)
    body_bytes: int = 4 * MIB
    form_bytes: int = 64 * MIB

    def __post_init__(self) -> None:
        if self.parallel < 1:
            raise ArgumentError(
                f"UploadSettings(parallel={self.parallel}): at least 1 part is sent at a time"
            )

    def method_for(self, size_bytes: int) -> Method:
        """How a video of this size is sent first."""
        if self.method != "auto":
            return self.method
        if size_bytes <= self.body_bytes:
            return "body"
        return "form" if size_bytes <= self.form_bytes else "multipart"


def submit(
    calls: Calls, source: Source, options: Options, settings: UploadSettings, key: str | None
) -> Steps[str]:
    """Submit a job with its video; gives the job_id.

    With ``key`` as the Idempotency-Key, a repeated call makes no second job; without one, a new key is made.

    Raises
    ------
    SourceError
        If the source is nothing that can be sent.
    UploadError
        If the video does not arrive; the same call goes on where it ended.
    """
    key = _checked(key)
    with Copies() as copies:
        video = yield from call(lambda: opened(source, copies))
        if isinstance(video, RemoteVideo):
            wanted = {"source_url": video.url, **as_json(options)}
            return (yield from calls.submit_json(wanted, key or _new_key())).job_id
        submission = _Submission(calls, video, options, settings)
        if key is None and settings.resume and isinstance(video, LocalFile) and not video.is_temporary:
            return (yield from submission.resumable())
        return (yield from submission.anew(key or _new_key(), lambda _: None))


def begin_upload(
    calls: Calls, facts: Mapping[str, Any], options: Options, key: str | None
) -> Steps[UploadOffered]:
    """Submit a job whose video somebody else uploads."""
    return calls.submit_json({**as_json(facts), **as_json(options)}, _checked(key) or _new_key())


class _FailedBeforeError(Exception):
    """The job that an earlier program submitted has failed: it takes no video any more."""


@dataclass(frozen=True, slots=True)
class _Submission:
    calls: Calls
    video: Video
    options: Options
    settings: UploadSettings

    def resumable(self) -> Steps[str]:
        """Go on with an interrupted submission, or begin one that can be gone on with."""
        assert isinstance(self.video, LocalFile)
        memory = self.settings.unfinished
        name = name_of(self.calls.base_url, self.video, as_json(self.options))
        earlier = memory.find(name)
        job_id = None if earlier is None else (yield from self._continued(earlier, name))
        if job_id is None:
            begun = Unfinished(key=_new_key(), begun_at=memory.now())
            job_id = yield from self._remembered(begun, name)
        memory.forget(name)
        return job_id

    def anew(self, key: str, on_submitted: Callable[[str], None], *, is_repeated: bool = False) -> Steps[str]:
        """Submit a job under this key; ``on_submitted`` is told the job_id before the video is uploaded.

        If the key ``is_repeated``, the job may be there already; raises _FailedBeforeError if it has failed.
        """
        method = self._first_method()
        while True:
            try:
                return (yield from self._by(method, key, on_submitted, is_repeated=is_repeated))
            except VideoTooLargeError:
                if self.settings.method != "auto" or method not in _LARGER:
                    raise
                method = _LARGER[method]

    def _continued(self, earlier: Unfinished, name: str) -> Steps[str | None]:
        """Go on with what an earlier program began; None if nothing can come of it any more."""
        if earlier.job_id is not None:
            return (yield from self._gone_on(earlier.job_id))
        try:
            return (yield from self._remembered(earlier, name, is_repeated=True))
        except (_FailedBeforeError, IdempotencyMismatchError):  # the latter after an upload of another method
            return None

    def _remembered(self, begun: Unfinished, name: str, *, is_repeated: bool = False) -> Steps[str]:
        memory = self.settings.unfinished
        memory.keep(name, begun)
        return self.anew(
            begun.key, lambda found: memory.keep(name, _with(begun, found)), is_repeated=is_repeated
        )

    def _by(
        self, method: Method, key: str, on_submitted: Callable[[str], None], *, is_repeated: bool
    ) -> Steps[str]:
        if method == "body":  # which has no place for a filename
            body = self._meter().measured(self.video.slice(0, self.video.size_bytes))
            job_id = (yield from self.calls.submit_body(body, as_query(self.options), key)).job_id
            if is_repeated:
                yield from self._has_started(job_id)
            return job_id
        wanted = {"size_bytes": self.video.size_bytes, "upload_method": method, **as_json(self._named())}
        offer = yield from self.calls.submit_json(wanted, key)
        if is_repeated and (yield from self._has_started(offer.job_id)):
            return offer.job_id
        try:
            if offer.multipart is not None:
                on_submitted(offer.job_id)
                yield from self._in_parts(offer.job_id, _nothing_of(self.video, offer.multipart))
            elif offer.upload is not None:
                yield from self._with_form(offer.upload, wanted, key)
            else:
                raise UploadError("The service took the job, but offered no upload for its video")
        except UploadError as error:
            error.job_id = offer.job_id
            raise
        return offer.job_id

    def _first_method(self) -> Method:
        method = self.settings.method_for(self.video.size_bytes)
        is_free = self.settings.method == "auto"
        return "form" if is_free and method == "body" and "filename" in self.options else method

    def _gone_on(self, job_id: str) -> Steps[str | None]:
        """Upload what is missing; None if the job does not wait for it any more."""
        try:
            there = yield from self.calls.upload(job_id)
        except NotFoundError:
            return None
        except JobStateError:
            job = yield from self.calls.job(job_id)
            return None if job.status == "failed" else job_id  # the answer to its completion was lost
        yield from self._in_parts(job_id, there)
        return job_id

    def _has_started(self, job_id: str) -> Steps[bool]:
        """Whether the video has arrived before; raises _FailedBeforeError if the job failed or is gone."""
        try:
            job = yield from self.calls.job(job_id)
        except JobNotFoundError:
            raise _FailedBeforeError from None
        if job.status == "failed":
            raise _FailedBeforeError
        return job.status != "pending"

    def _in_parts(self, job_id: str, there: UploadProgress) -> Steps[None]:
        upload = MultipartUpload(self.calls, job_id, self.video, self._meter(), self.settings.parallel)
        try:
            yield from upload.run(there)
        except VideoFileChangedError:
            yield from self.calls.abort_upload(job_id)
            raise
        except (JobStateError, UploadError):
            if not (yield from self._is_complete(job_id)):
                raise

    def _is_complete(self, job_id: str) -> Steps[bool]:
        """Whether another program has completed the upload, or the answer to its completion was lost."""
        try:
            yield from self.calls.upload(job_id)
        except JobStateError:
            return (yield from self.calls.job(job_id)).status != "failed"
        except ApiError:
            pass  # what went wrong before tells more
        return False

    def _with_form(self, upload: Upload, wanted: Mapping[str, Any], key: str) -> Steps[None]:
        body = self._meter().measured(self.video.slice(0, self.video.size_bytes))
        for _ in range(_SIGNATURES):
            form = form_of(upload.fields, body)
            headers = {"content-type": form.content_type}
            request = Request(
                "POST", upload.url, {}, headers, form, is_signed=True, timeout_s=self.calls.timeout_s
            )
            answer = yield from ask(request, self.calls.retries)
            if 200 <= answer.status < 300:
                return
            if answer.status != 403:
                break
            again = yield from self.calls.submit_json(wanted, key)  # the same job, newly signed
            upload = again.upload or upload
        raise UploadError(f"The storage refused the video with {refusal_of(answer)}")

    def _named(self) -> Options:
        name = self.video.name
        return (
            self.options if name is None or "filename" in self.options else {**self.options, "filename": name}
        )

    def _meter(self) -> Meter:
        return Meter(self.video.size_bytes, self.settings.on_progress)


def _with(begun: Unfinished, job_id: str) -> Unfinished:
    return Unfinished(key=begun.key, begun_at=begun.begun_at, job_id=job_id)


def _nothing_of(video: Video, offer: MultipartOffer) -> UploadProgress:
    return UploadProgress(
        part_bytes=offer.part_bytes, part_count=offer.part_count, size_bytes=video.size_bytes, parts=()
    )


def _checked(key: str | None) -> str | None:
    if key is not None and not (key.isascii() and key.isprintable()):
        raise ArgumentError(f"An idempotency_key has printable ASCII letters only: not {key!a}")
    return key


def _new_key() -> str:
    return str(uuid.uuid4())
