"""The caller's jobs, for programs with an event loop."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterable
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
from video_jobs_client.protocol.async_driver import AsyncDriver
from video_jobs_client.protocol.calls import Calls
from video_jobs_client.protocol.effects import Steps
from video_jobs_client.protocol.files import File, downloaded, summary_of
from video_jobs_client.protocol.paging import FrameRange, JobPages, Pages
from video_jobs_client.protocol.waiting import Waiting, succeeded, wait
from video_jobs_client.results import Frame, Results, index_after
from video_jobs_client.summary import Summary
from video_jobs_client.uploads import (
    Source,
    StorageMethod,
    UploadSettings,
    begin_upload,
    submit,
)


class AsyncJobs:
    """The caller's jobs.

    Examples
    --------
    >>> import asyncio
    >>> from video_jobs_client import AsyncClient
    >>> async def main() -> None:
    ...     async with AsyncClient("http://127.0.0.1:8000") as client:
    ...         async for job in client.jobs.list(status="completed", limit=1):
    ...             print(job, [text.text for text in (await job.summary()).texts][:1])
    >>> asyncio.run(main())
    <AsyncJob ... completed> ['HARBOUR']
    """

    def __init__(self, calls: Calls, driver: AsyncDriver) -> None:
        self._calls, self._driver = calls, driver

    async def submit(
        self,
        source: Source,
        *,
        upload: UploadSettings | None = None,
        idempotency_key: str | None = None,
        **options: Unpack[Options],
    ) -> AsyncJob:
        """As `AsyncClient.analyse`."""
        steps = submit(self._calls, source, options, upload or UploadSettings(), idempotency_key)
        return await self.get(await self._driver.run(steps))

    async def begin_upload(
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
            ``form`` for one form that the storage takes, ``multipart`` for parts (`AsyncJob.sign_parts`).
        content_type, checksum_sha256
            The storage takes only a form with this type, and content with this checksum (base64).
        idempotency_key
            Repeating the call with the same key makes no second job; None makes a new one.
        **options
            What to analyse, see `Options`.
        """
        facts = {
            "size_bytes": size_bytes,
            "upload_method": upload_method,
            "content_type": content_type,
            "checksum_sha256": checksum_sha256,
        }
        return await self._driver.run(begin_upload(self._calls, facts, options, idempotency_key))

    async def get(self, job_id: str) -> AsyncJob:
        """A job by its id."""
        return AsyncJob(self._calls, self._driver, await self._driver.run(self._calls.job(job_id)))

    async def list(
        self, *, status: str | None = None, pipeline_id: str | None = None, limit: int | None = None
    ) -> AsyncIterator[AsyncJob]:
        """The caller's jobs, newest first, at most ``limit``; pages are fetched as they are needed."""
        pages = JobPages(self._calls, status, pipeline_id, limit)
        while (page := await self._driver.run(pages.next_page())) is not None:
            for resource in page:
                yield AsyncJob(self._calls, self._driver, resource)

    async def cancel(self, job_id: str) -> AsyncJob:
        """End an open job; it becomes ``failed`` with the code ``cancelled``."""
        return AsyncJob(self._calls, self._driver, await self._driver.run(self._calls.cancel(job_id)))

    async def retry(self, job_id: str) -> AsyncJob:
        """Run a failed job once more."""
        return AsyncJob(self._calls, self._driver, await self._driver.run(self._calls.retry(job_id)))

    async def delete(self, job_id: str) -> None:
        """Delete a job that is not running, with its video and results."""
        await self._driver.run(self._calls.delete(job_id))


class AsyncJob(JobFacts):
    """A job, as the service told it last; `refresh` and `wait` renew it.

    Examples
    --------
    >>> import asyncio
    >>> from video_jobs_client import AsyncClient
    >>> async def main() -> None:
    ...     async with AsyncClient("http://127.0.0.1:8000") as client:
    ...         job = await client.analyse("clip.mp4", max_frames=1)
    ...         await job.wait(timeout=600)
    ...         print([frame.index async for frame in job.frames()], (await job.summary()).texts[0].text)
    ...         print(await job.download("results.json"))
    >>> asyncio.run(main())
    [0] HARBOUR
    results.json
    """

    def __init__(self, calls: Calls, driver: AsyncDriver, resource: JobResource) -> None:
        super().__init__(resource)
        self._calls, self._driver = calls, driver

    async def refresh(self) -> Self:
        """Ask the service for the job again."""
        self.resource = await self._driver.run(self._calls.job(self.id))
        return self

    async def poll(self) -> JobStatus:
        """The short answer: only how far the job is."""
        return await self._driver.run(self._status())

    async def wait(
        self,
        timeout: float | None = None,
        on_progress: Callable[[AsyncJob], None] | None = None,
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
        self.resource = await self._driver.run(wait(self._calls, self.id, how))
        if check:
            succeeded(self.resource)
        return self

    async def frames(self, *, partial: bool = False, **chosen: Unpack[FrameRange]) -> AsyncIterator[Frame]:
        """Every analysed frame of a completed job, fetched page by page.

        Parameters
        ----------
        partial
            Do not wait for the end: give frames as soon as they are final, until the job is completed. If it
            fails, the error is a `JobFailedError`.
        **chosen
            A range of frames or times, see `FrameRange`; with ``partial``, only its ``limit``.
        """
        last = -1
        async for page in self.pages(partial=partial, **chosen):
            for frame in Results.of_job(self.resource, [page]).frames():
                last = index_after(last, frame)
                yield frame

    async def pages(
        self, *, partial: bool = False, **chosen: Unpack[FrameRange]
    ) -> AsyncIterator[dict[str, Any]]:
        """The pages of the results as they are, for `Results` and exports."""
        pages = Pages(self._calls, self.id, chosen, is_partial=partial)
        while (page := await self._driver.run(pages.next_page())) is not None:
            yield page

    async def summary(self) -> Summary:
        """What was seen in the video, and when."""
        return Summary.of_job(self.resource, await self._driver.run(summary_of(self._calls, self.id)))

    async def download(self, target: str | os.PathLike[str], file: File = "results") -> Path:
        """Download a file of the job; gives its path, which is replaced once all is there."""
        return await self._driver.run(downloaded(self._calls, self.id, file, target))

    async def signed_video(self) -> SignedVideo:
        """A URL of the job's video, for a short time; `download` gets the file itself."""
        return await self._driver.run(self._calls.video(self.id))

    async def upload(self) -> UploadProgress:
        """Which parts are there of the upload in parts that the job waits for."""
        return await self._driver.run(self._calls.upload(self.id))

    async def sign_parts(self, part_numbers: Iterable[int]) -> SignedParts:
        """URLs to which some parts of the upload are to be sent, at most 100 at a time."""
        return await self._driver.run(self._calls.sign_parts(self.id, part_numbers))

    async def complete_upload(self) -> Self:
        """Make one video of the parts: the job starts."""
        self.resource = await self._driver.run(self._calls.complete_upload(self.id))
        return self

    async def abort_upload(self) -> Self:
        """Give the upload in parts up: the job becomes ``failed`` with the code ``cancelled``."""
        self.resource = await self._driver.run(self._calls.abort_upload(self.id))
        return self

    async def cancel(self) -> Self:
        """End the job; it becomes ``failed`` with the code ``cancelled``."""
        self.resource = await self._driver.run(self._calls.cancel(self.id))
        return self

    async def retry(self) -> Self:
        """Run the failed job once more."""
        self.resource = await self._driver.run(self._calls.retry(self.id))
        return self

    async def delete(self) -> None:
        """Delete the job with its video and results."""
        await self._driver.run(self._calls.delete(self.id))

    def _status(self) -> Steps[JobStatus]:
        return model_of((yield from self._calls.status(self.id)), JobStatus)
