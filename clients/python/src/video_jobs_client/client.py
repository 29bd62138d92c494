"""The client for programs that wait for each answer."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, Unpack

import httpx2

from video_jobs_client.addresses import refuse_plain_http
from video_jobs_client.job_facts import JobFacts
from video_jobs_client.models import Health, JobResource, JobStatus, Pipelines, Quote
from video_jobs_client.options import Options, QuoteOptions, as_json
from video_jobs_client.protocol.answers import model_of
from video_jobs_client.protocol.calls import Calls
from video_jobs_client.protocol.effects import Answer, Request, Steps
from video_jobs_client.protocol.files import File, downloaded, summary_of
from video_jobs_client.protocol.paging import FrameRange, Pages
from video_jobs_client.protocol.retries import Retries
from video_jobs_client.protocol.sync_driver import SyncDriver
from video_jobs_client.protocol.waiting import Waiting, succeeded, wait
from video_jobs_client.results import Frame, Results
from video_jobs_client.settings import find_server, stored_or_given
from video_jobs_client.summary import Summary
from video_jobs_client.uploads import Source, UploadSettings, submit


class Client:
    """A client of one service.

    Every call raises `ApiError` (by its ``code``), `ServiceUnreachableError` or `UnexpectedAnswerError`, all
    of which are `VideoJobsClientError`. Several threads may use it.

    Parameters
    ----------
    base_url
        The address of the API; None for ``VIDEO_JOBS_URL``, or that of the profile.
    token
        Is sent with each request; None for ``VIDEO_JOBS_TOKEN``, or that of the profile's login.
    token_provider
        In place of ``token``: is called before each request.
    profile
        The profile that tells the address and how to log in, if not the default one.
    retries
        How often and when a request is sent again.
    timeout_s
        How long connecting, and each pause of an answer, may take.
    transport
        Replaces the network, for tests.

    Examples
    --------
    >>> with Client("http://127.0.0.1:8000") as client:
    ...     job = client.analyse("clip.mp4", frames_per_second=2).wait()
    ...     for frame in job.frames():
    ...         print(frame.timestamp_ms, frame.lines)
    """

    def __init__(
        self,
        base_url: str | None = None,
        token: str | None = None,
        *,
        token_provider: Callable[[], str | None] | None = None,
        profile: str | None = None,
        retries: Retries | None = None,
        timeout_s: float = 30.0,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        server = find_server(base_url, token, profile)
        if token_provider is not None:
            refuse_plain_http(server.url, "the address of the server")
        self._calls = Calls(server.url, retries or Retries(), timeout_s)
        self._http = httpx2.Client(transport=transport)
        self._driver = SyncDriver(self._http, token_provider or stored_or_given(server))
        self.jobs = Jobs(self._calls, self._driver)

    def analyse(
        self,
        source: Source,
        *,
        upload: UploadSettings | None = None,
        idempotency_key: str | None = None,
        **options: Unpack[Options],
    ) -> Job:
        """Submit a video: in the request, with a form, in parts, or by its URL, whichever fits.

        Parameters
        ----------
        source
            A path, a URL (``https://``), the content itself, or an open binary file.
        upload
            How to upload it, and whom to tell how far it is.
        idempotency_key
            Repeating the call with the same key makes no second job; None makes a new one.
        **options
            What to analyse, see `Options`.
        """
        return self.jobs.submit(source, upload=upload, idempotency_key=idempotency_key, **options)

    def quote(self, **facts: Unpack[QuoteOptions]) -> Quote:
        """What a job would take and cost; ``size_bytes`` or ``duration_ms`` of its video is needed."""
        return self._driver.run(self._calls.quote(as_json(facts)))

    def pipelines(self) -> Pipelines:
        """The pipelines and text engines that a job may ask for."""
        return self._driver.run(self._calls.pipelines())

    def health(self) -> Health:
        """Whether the service answers."""
        return self._driver.run(self._calls.health())

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | None] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> Answer:
        """Send any request to the service; gives its answer as it is, refusals included."""
        request = Request(method, path, params or {}, headers or {}, content)
        return self._driver.run(self._calls.raw(request))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Jobs:
    """The caller's jobs."""

    def __init__(self, calls: Calls, driver: SyncDriver) -> None:
        self._calls, self._driver = calls, driver

    def submit(
        self,
        source: Source,
        *,
        upload: UploadSettings | None = None,
        idempotency_key: str | None = None,
        **options: Unpack[Options],
    ) -> Job:
        """As `Client.analyse`."""
        steps = submit(self._calls, source, options, upload or UploadSettings(), idempotency_key)
        return self.get(self._driver.run(steps))

    def get(self, job_id: str) -> Job:
        """A job by its id."""
        return Job(self._calls, self._driver, self._driver.run(self._calls.job(job_id)))

    def list(
        self, *, status: str | None = None, pipeline_id: str | None = None, limit: int | None = None
    ) -> Iterator[Job]:
        """The caller's jobs, newest first, at most ``limit``; pages are fetched as they are needed."""
        cursor, left = None, limit
        while left is None or left > 0:
            query = {"status": status, "pipeline_id": pipeline_id, "cursor": cursor}
            page = self._driver.run(self._calls.jobs(query))
            for resource in page.jobs[:left]:
                yield Job(self._calls, self._driver, resource)
            left = None if left is None else left - len(page.jobs)
            cursor = page.next_cursor
            if cursor is None:
                return

    def cancel(self, job_id: str) -> Job:
        """End an open job; it becomes ``failed`` with the code ``cancelled``."""
        return Job(self._calls, self._driver, self._driver.run(self._calls.cancel(job_id)))

    def retry(self, job_id: str) -> Job:
        """Run a failed job once more."""
        return Job(self._calls, self._driver, self._driver.run(self._calls.retry(job_id)))

    def delete(self, job_id: str) -> None:
        """Delete a job that is not running, with its video and results."""
        self._driver.run(self._calls.delete(job_id))


class Job(JobFacts):
    """A job, as the service told it last; `refresh` and `wait` renew it."""

    def __init__(self, calls: Calls, driver: SyncDriver, resource: JobResource) -> None:
        super().__init__(resource)
        self._calls, self._driver = calls, driver

    def refresh(self) -> Self:
        """Ask the service for the job again."""
        self.resource = self._driver.run(self._calls.job(self.id))
        return self

    def poll(self) -> JobStatus:
        """The short answer: only how far the job is."""
        return self._driver.run(self._status())

    def wait(
        self,
        timeout: float | None = None,
        on_progress: Callable[[Job], None] | None = None,
        *,
        check: bool = True,
        poll_s: float | None = None,
    ) -> Self:
        """Wait until the job has ended.

        Parameters
        ----------
        timeout
            In seconds; no request and no pause goes beyond it. None waits for ever.
        on_progress
            Is called with this job after each question.
        check
            False returns a job that failed as well.
        poll_s
            The pause between two questions; None does what the service says.

        Raises
        ------
        JobFailedError
            If the job failed.
        WaitTimeoutError
            If it has not ended in time; it goes on.
        UnknownStatusError
            If it has a status that this package does not know.
        """

        def tell(resource: JobResource) -> None:
            self.resource = resource
            if on_progress is not None:
                on_progress(self)

        how = Waiting(timeout, tell if on_progress else None, poll_s)
        self.resource = self._driver.run(wait(self._calls, self.id, how))
        if check:
            succeeded(self.resource)
        return self

    def frames(self, *, partial: bool = False, **chosen: Unpack[FrameRange]) -> Iterator[Frame]:
        """Every analysed frame of a completed job, fetched page by page.

        Parameters
        ----------
        partial
            Do not wait for the end: give frames as soon as they are final, until the job is completed.
        **chosen
            A range of frames or times, see `FrameRange`.
        """
        return self.results(partial=partial, **chosen).frames()

    def results(self, *, partial: bool = False, **chosen: Unpack[FrameRange]) -> Results:
        """The results for exports; they are fetched while they are read, once."""
        return Results.of_job(self.resource, self.pages(partial=partial, **chosen))

    def pages(self, *, partial: bool = False, **chosen: Unpack[FrameRange]) -> Iterator[dict[str, Any]]:
        """The pages of the results as they are, for `Results` and exports."""
        pages = Pages(self._calls, self.id, chosen, is_partial=partial)
        while (page := self._driver.run(pages.next_page())) is not None:
            yield page

    def summary(self) -> Summary:
        """What was seen in the video, and when."""
        return Summary.of_job(self.resource, self._driver.run(summary_of(self._calls, self.id)))

    def download(self, target: str | os.PathLike[str], file: File = "results") -> Path:
        """Download a file of the job; gives its path, which is replaced once all is there."""
        return self._driver.run(downloaded(self._calls, self.id, file, target))

    def cancel(self) -> Self:
        """End the job; it becomes ``failed`` with the code ``cancelled``."""
        self.resource = self._driver.run(self._calls.cancel(self.id))
        return self

    def retry(self) -> Self:
        """Run the failed job once more."""
        self.resource = self._driver.run(self._calls.retry(self.id))
        return self

    def delete(self) -> None:
        """Delete the job with its video and results."""
        self._driver.run(self._calls.delete(self.id))

    def _status(self) -> Steps[JobStatus]:
        return model_of((yield from self._calls.status(self.id)), JobStatus)
