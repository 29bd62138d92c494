"""The service in memory with one job whose video is fetched from a pretended server."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from video_jobs.adapters.local.memory_sources import MemorySourceQueue
from video_jobs.adapters.local.memory_storage import MemoryStorage
from video_jobs.adapters.local.memory_uploads import MemoryMultipartUploads
from video_jobs.application import VideoJobs
from video_jobs.bindings import Ports
from video_jobs.domain.job import Job, JobStatus, UploadState
from video_jobs.domain.rules import Rules
from video_jobs.ports import StoredChunk
from video_jobs.use_cases.intake import Submission
from video_jobs.use_cases.sources import FetchOutcome
from video_jobs.use_cases.work import Claimant

from tests.support.clock import ManualClock
from tests.support.pretend_source import PretendSource

KIB = 2**10
CHUNK = 8 * KIB
URL = "https://source.example/a.mp4?signature=secret"
MP4_HEAD = b"\0\0\0\x14ftypisom\0\0\2\0isom"
BY_ANN = Submission(owner="ann")
WORKER = Claimant(worker_id="w", lease=timedelta(minutes=1))


def video(size_bytes: int) -> bytes:
    """An MP4 whose chunks differ."""
    content = MP4_HEAD + b"".join(bytes([place % 251]) * KIB for place in range(size_bytes // KIB + 1))
    return content[:size_bytes]


class SourceWorld:
    """The service in memory, a source, and one job that is fetched from it."""

    def __init__(self, content: bytes = video(CHUNK * 2 + 5), **rules: Any) -> None:
        self.clock, self.storage = ManualClock(), MemoryStorage()
        self.source, self.fetches = PretendSource(content, block_bytes=KIB), MemorySourceQueue()
        self.uploads = MemoryMultipartUploads(self.storage)
        ports = Ports.in_memory(
            self.clock,
            storage=lambda: self.storage,
            uploads=lambda: self.uploads,
            fetches=lambda: self.fetches,
            source_reader=lambda: self.source,
        )
        self.app = VideoJobs(ports, Rules(**rules))
        self.job_id = self.app.intake.submit_source(URL, BY_ANN).job_id
        self.first_upload = self.job.upload.multipart_id or ""

    @property
    def job(self) -> Job:
        job = self.app.ports.jobs.get_by_id(self.job_id)
        assert job is not None
        return job

    @property
    def is_accepted(self) -> bool:
        return self.job.upload.state is UploadState.ACCEPTED

    def fetch(self) -> FetchOutcome:
        """Receive the oldest message after its delay, and fetch; the event of an object follows at once."""
        job_id, delay_s = self.fetches.sent.pop(0)
        self.clock.advance(delay_s)
        outcome = self.app.sources.fetch(job_id)
        self.app.intake.accept_upload(self.job.upload.key)
        return outcome

    def fetch_until_ended(self) -> list[FetchOutcome]:
        outcomes = []
        while self.fetches.sent:
            outcomes.append(self.fetch())
        return outcomes

    def stored(self) -> bytes | None:
        found = self.storage.find_file(self.job.upload.key)
        return None if found is None else self.storage.read_range(found.key, 0, found.size_bytes)

    def chunks(self) -> list[StoredChunk]:
        return self.uploads.list_chunks(self.job.upload.key, self.job.upload.multipart_id or "")

    def why(self) -> str | None:
        """Why the job failed; then it has no URL any more, and its chunks are gone."""
        job = self.job
        if job.error is None:
            return None
        assert (job.status, job.upload.source, job.lease) == (JobStatus.FAILED, None, None)
        assert "secret" not in job.error.message
        assert self.uploads._uploads == {}
        return job.error.code
