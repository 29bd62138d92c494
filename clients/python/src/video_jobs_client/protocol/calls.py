"""Every call of the API as an operation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from video_jobs_client import errors, models
from video_jobs_client.files import is_stream
from video_jobs_client.models.base import Model
from video_jobs_client.options import is_text
from video_jobs_client.protocol.answers import content_of, json_of, model_of, refusal_of
from video_jobs_client.protocol.effects import Answer, Body, Request, Steps, WrittenCheck
from video_jobs_client.protocol.retries import Deadline, Retries, ask

ModelT = TypeVar("ModelT", bound=Model)
Query = Mapping[str, str | None]
_SUBMIT = "/video/submit"
_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
"""RFC 9110, 9.2.2: sending them twice does what sending them once does."""


@dataclass(frozen=True)
class Calls:
    """The calls of one service.

    Every call raises `ApiError` (the class for the code), `ServiceUnreachableError` and
    `UnexpectedAnswerError`.
    """

    base_url: str
    retries: Retries = field(default_factory=Retries)
    timeout_s: float = 30.0

    def submit_json(self, wanted: Mapping[str, Any], key: str) -> Steps[models.UploadOffered]:
        """Submit a job whose video is uploaded or fetched afterwards."""
        return self._model(models.UploadOffered, self._post(_SUBMIT, wanted, {"idempotency-key": key}))

    def submit_body(self, video: bytes | Body, query: Query, key: str) -> Steps[models.UploadOffered]:
        """Submit a job with its video in the request."""
        headers = {"content-type": "video/mp4", "idempotency-key": key}
        request = self._request("POST", _SUBMIT, params=query, headers=headers, content=video)
        return self._model(models.UploadOffered, request)

    def quote(self, wanted: Mapping[str, Any]) -> Steps[models.Quote]:
        """What a job would take; nothing is submitted."""
        return self._model(models.Quote, self._post("/video/quote", wanted))

    def status(self, job_id: str, deadline: Deadline | None = None) -> Steps[Answer]:
        """How far a job is: the answer itself, for its ``Retry-After``."""
        return ask(self._request("GET", f"/video/status/{_word(job_id)}"), self.retries, deadline)

    def job(self, job_id: str, deadline: Deadline | None = None) -> Steps[models.JobResource]:
        """All about a job."""
        return self._model(models.JobResource, self._request("GET", _job(job_id)), deadline)

    def jobs(self, query: Query) -> Steps[models.JobList]:
        """A page of the caller's jobs, newest first."""
        return self._model(models.JobList, self._request("GET", "/video/jobs", params=query))

    def cancel(self, job_id: str) -> Steps[models.JobResource]:
        """End an open job; it becomes ``failed`` with the code ``cancelled``."""
        return self._changed(job_id, self._post(f"{_job(job_id)}/cancel"), _is_cancelled)

    def retry(self, job_id: str) -> Steps[models.JobResource]:
        """Run a failed job once more."""
        return self._changed(job_id, self._post(f"{_job(job_id)}/retry"), _is_open)

    def delete(self, job_id: str) -> Steps[None]:
        """Delete a job that is not running, with its video and results."""
        answer = yield from ask(self._request("DELETE", _job(job_id)), self.retries)
        if answer.attempt > 1 and answer.status == 404:
            return  # the answer to an earlier attempt was lost
        content_of(answer)

    def upload(self, job_id: str) -> Steps[models.UploadProgress]:
        """Which parts of a multipart upload are there."""
        return self._model(models.UploadProgress, self._request("GET", f"{_job(job_id)}/upload"))

    def sign_parts(self, job_id: str, numbers: Iterable[int]) -> Steps[models.SignedParts]:
        """Signed URLs for some parts, at most 100."""
        return self._model(
            models.SignedParts, self._post(f"{_job(job_id)}/upload/parts", {"part_numbers": [*numbers]})
        )

    def complete_upload(self, job_id: str) -> Steps[models.JobResource]:
        """Make one video of the parts: the job starts."""
        return self._model(models.JobResource, self._post(f"{_job(job_id)}/upload/complete"))

    def abort_upload(self, job_id: str) -> Steps[models.JobResource]:
        """Give a multipart upload up; its job is cancelled."""
        request = self._request("DELETE", f"{_job(job_id)}/upload")
        return self._changed(job_id, request, _is_cancelled)

    def results_page(self, job_id: str, query: Query) -> Steps[dict[str, Any]]:
        """A page of the results, as it is."""
        request = self._request("GET", f"/video/results/{_word(job_id)}", params=query)
        return json_of((yield from ask(request, self.retries)), "results")

    def summary(self, job_id: str) -> Steps[dict[str, Any]]:
        """The summary, or where it can be downloaded, as it is: it may be of a version that is not known."""
        request = self._request("GET", f"/video/summary/{_word(job_id)}")
        return json_of((yield from ask(request, self.retries)), "summary", "summary_url", "tracks_url")

    def video(self, job_id: str) -> Steps[models.SignedVideo]:
        """Where the job's video can be downloaded."""
        return self._model(models.SignedVideo, self._request("GET", f"{_job(job_id)}/video"))

    def pipelines(self) -> Steps[models.Pipelines]:
        """What a job may ask for."""
        return self._model(models.Pipelines, self._request("GET", "/video/pipelines"))

    def health(self) -> Steps[models.Health]:
        """Whether the service answers."""
        return self._model(models.Health, self._request("GET", "/health"))

    def openapi(self) -> Steps[dict[str, Any]]:
        """The OpenAPI document of the service."""
        return json_of((yield from ask(self._request("GET", "/openapi.json"), self.retries)), "paths")

    def download(
        self, url: str, target: Path | None = None, check: WrittenCheck | None = None
    ) -> Steps[bytes]:
        """Download from a signed URL, into memory or to a path, which is replaced once all is there.

        ``check`` tells whether all was written.
        What is written to a pipe or a device cannot be taken back, so that it is not begun again.

        Raises
        ------
        DownloadError
            If the storage refuses it, for example because the URL has expired, or gives only a part.
        """
        request = Request(
            "GET",
            url,
            is_signed=True,
            target=target,
            check=check,
            timeout_s=self.timeout_s,
            is_repeatable=target is None or not is_stream(target),
        )
        answer = yield from ask(request, self.retries)
        if answer.status != 200:
            raise errors.DownloadError(
                f"The storage refused the download with {refusal_of(answer)}; try again"
            )
        return answer.content

    def raw(self, request: Request) -> Steps[Answer]:
        """Any request to the service; gives its answer, whatever it is.

        Raises
        ------
        ArgumentError
            If its path does not begin with a slash: it could lead to another server.
        """
        if not request.url.startswith("/"):
            raise errors.ArgumentError(f'A path begins with "/", such as /health: not "{request.url}"')
        has_key = any(name.lower() == "idempotency-key" for name in request.headers)
        is_repeatable = has_key or request.method.upper() in _REPEATABLE
        url = self.base_url + request.url
        request = replace(request, url=url, timeout_s=self.timeout_s, is_repeatable=is_repeatable)
        return ask(request, self.retries)

    def _changed(
        self, job_id: str, request: Request, is_done: Callable[[models.JobResource], bool]
    ) -> Steps[models.JobResource]:
        answer = yield from ask(request, self.retries)
        try:
            return model_of(answer, models.JobResource)
        except errors.JobStateError:
            if answer.attempt > 1:  # the answer to an earlier attempt may have been lost
                job = yield from self.job(job_id)
                if is_done(job):
                    return job
            raise

    def _model(self, kind: type[ModelT], request: Request, deadline: Deadline | None = None) -> Steps[ModelT]:
        answer = yield from ask(request, self.retries, deadline)
        return model_of(answer, kind)

    def _post(
        self, path: str, body: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> Request:
        if body is None:
            return self._request("POST", path)
        every = {"content-type": "application/json", **(headers or {})}
        try:
            content = msgspec.json.encode(body)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise errors.ArgumentError(f"An argument cannot be sent as JSON: {error}") from None
        return self._request("POST", path, headers=every, content=content)

    def _request(self, method: str, path: str, **parts: Any) -> Request:
        return Request(method, self.base_url + path, timeout_s=self.timeout_s, **parts)


def _job(job_id: str) -> str:
    return f"/video/jobs/{_word(job_id)}"


def _word(job_id: str) -> str:
    """The id as one segment of a path, whatever it holds."""
    if isinstance(job_id, str) and job_id not in (".", "..") and is_text(job_id):
        return quote(job_id, safe="") or "-"
    raise errors.ArgumentError(f"{job_id!a} is no job_id")


def _is_cancelled(job: models.JobResource) -> bool:
    return job.error is not None and job.error.code == "cancelled"


def _is_open(job: models.JobResource) -> bool:
    return job.status in ("pending", "running")
