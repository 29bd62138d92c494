"""The caller's jobs, for programs that wait for each answer."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Self, Unpack

from video_jobs_client.job_facts import JobFacts
from video_jobs_client.models import (
    JobResource,
    JobStatus,
    SignedParts,
    SignedVideo,
    UploadOffered,
    UploadProgress,
)
from video_jobs_client.options import Options
from video_jobs_client.protocol.answers import model_of
from video_jobs_client.protocol.calls import Calls
from video_jobs_client.protocol.effects import Steps
from video_jobs_client.protocol.files import File, downloaded, summary_of
from video_jobs_client.protocol.paging import FrameRange, JobPages, Pages
from video_jobs_client.protocol.sync_driver import SyncDriver
from video_jobs_client.protocol.waiting import Waiting, succeeded, wait
from video_jobs_client.results import Frame, Results
from video_jobs_client.summary import Summary
from video_jobs_client.uploads import (
    Source,
    StorageMethod,
    UploadSettings,
    begin_upload,
    submit,
)


class Jobs:
    """The caller's jobs.

    Examples
    --------
    >>> for job in client.jobs.list(status="completed", limit=1):
    ...     print(job, [text.text for text in job.summary().texts][:1])
    <Job ... completed> ['HARBOUR']
    """

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

    def begin_upload(
        self,
        size_bytes: int,
        *,
        upload_method: StorageMethod = "multipart",
        content_type: str | None = None,
        checksum_sha256: str | None = None,
        idempotency_key: str | None = None,
        **options: Unpack[Options],
    ) -> UploadOffered:
        """Submit a job whose video another program uploads, for example a browser; gives what it needs.

        Parameters
        ----------
        size_bytes
            The size of the video.
        upload_method
            ``form`` for one form that the storage takes, ``multipart`` for parts (`Job.sign_parts`).
        content_type, checksum_sha256
            The storage takes only a form with this type, and content with this checksum (base64).
        idempotency_key
            Repeating the call with the same key makes no second job; None makes a new one.
        **options
            What to analyse, see `Options`.

        Examples
        --------
        >>> offer = client.jobs.begin_upload(1_000_000, filename="clip.mp4")
        >>> job = client.jobs.get(offer.job_id)
        >>> [(part.part_number, part.size_bytes) for part in job.sign_parts([1]).parts]
        [(1, 1000000)]
        >>> job.abort_upload()
        <Job ... failed>
        """
        facts = {
            "size_bytes": size_bytes,
            "upload_method": upload_method,
            "content_type": content_type,
            "checksum_sha256": checksum_sha256,
        }
        return self._driver.run(begin_upload(self._calls, facts, options, idempotency_key))

    def get(self, job_id: str) -> Job:
        """A job by its id."""
        return Job(self._calls, self._driver, self._driver.run(self._calls.job(job_id)))

    def list(
        self, *, status: str | None = None, pipeline_id: str | None = None, limit: int | None = None
    ) -> Iterator[Job]:
        """The caller's jobs, newest first, at most ``limit``; pages are fetched as they are needed."""
        pages = JobPages(self._calls, status, pipeline_id, limit)
        while (page := self._driver.run(pages.next_page())) is not None:
            for resource in page:
                yield Job(self._calls, self._driver, resource)

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
    """A job, as the service told it last; `refresh` and `wait` renew it.

    Examples
    --------
    >>> job.wait(timeout=600, on_progress=lambda job: print(job.status, job.resource.percent))
    completed 100
    <Job ... completed>
    >>> frame = next(job.frames(from_ms=1000))
    >>> (frame.index, "STATION" in frame.lines)
    (10, True)
    >>> [(text.text, text.start_ms, text.end_ms) for text in job.summary().texts][0]
    ('HARBOUR', 0.0, 1000.0)
    >>> job.download("results.json").name
    'results.json'
    """

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
            In seconds; no request and no pause goes beyond it. None waits for ever; 0 asks once.
        on_progress
            Is called with this job after each question.
        check
            False returns a job that failed as well.
        poll_s
            The pause between two questions; None does what the service says, from 0.1 to 300 seconds.

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
            Do not wait for the end: give frames as soon as they are final, until the job is completed. If it
            fails, the error is a `JobFailedError`.
        **chosen
            A range of frames or times, see `FrameRange`; with ``partial``, only its ``limit``.
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

    def signed_video(self) -> SignedVideo:
        """A URL of the job's video, for a short time; `download` gets the file itself."""
        return self._driver.run(self._calls.video(self.id))

    def upload(self) -> UploadProgress:
        """Which parts are there of the upload in parts that the job waits for."""
        return self._driver.run(self._calls.upload(self.id))

    def sign_parts(self, part_numbers: Iterable[int]) -> SignedParts:
        """URLs to which some parts of the upload are to be sent, at most 100 at a time."""
        return self._driver.run(self._calls.sign_parts(self.id, part_numbers))

    def complete_upload(self) -> Self:
        """Make one video of the parts: the job starts."""
        self.resource = self._driver.run(self._calls.complete_upload(self.id))
        return self

    def abort_upload(self) -> Self:
        """Give the upload in parts up: the job becomes ``failed`` with the code ``cancelled``."""
        self.resource = self._driver.run(self._calls.abort_upload(self.id))
        return self

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
