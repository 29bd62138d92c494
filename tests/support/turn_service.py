"""The application in memory, with jobs that wait for their owner's turn."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from video_jobs.adapters.local.memory_accounts import MemoryAccounts
from video_jobs.adapters.local.memory_jobs import MemoryJobRepository
from video_jobs.application import VideoJobs
from video_jobs.bindings import Ports
from video_jobs.domain import changes
from video_jobs.domain.accounts import Place
from video_jobs.domain.job import Job, Output
from video_jobs.domain.rules import Rules
from video_jobs.domain.turns import moved
from video_jobs.domain.usage import Usage
from video_jobs.use_cases.intake import Submission
from video_jobs.use_cases.work import Claimant

from tests.support.clock import ManualClock

MP4 = b"\0\0\0\x14ftypisom\0\0\2\0isom" + b"\0" * 200
CLAIMANT = Claimant(worker_id="w", lease=timedelta(minutes=1))
NOTHING_USED = Usage(compute_ms=0, frames=0, bytes=0)


class TurnService:
    """The application in memory, in which each owner has two turns."""

    def __init__(self, **rules: Any) -> None:
        self.clock = ManualClock()
        self.accounts = MemoryAccounts()
        made = Ports.in_memory(
            self.clock,
            accounts=lambda: self.accounts,
            jobs=lambda: MemoryJobRepository(self.accounts),
        )
        self.app = VideoJobs(made, Rules(**{"running_per_owner": 2} | rules))
        self.ports = made

    def submit(self, owner: str = "ann", size_bytes: int = 100, key: str | None = None) -> Job:
        self.clock.advance(1)
        return self.app.intake.submit_form(size_bytes, Submission(owner=owner, idempotency_key=key))[0]

    def accept(self, owner: str = "ann") -> Job:
        """A job whose video has arrived."""
        job = self.submit(owner)
        self.upload(job)
        return self.now(job)

    def upload(self, job: Job, content: bytes = MP4) -> None:
        self.ports.storage.save_bytes(job.upload.key, content)  # type: ignore[attr-defined]
        self.app.intake.accept_upload(job.upload.key)

    def now(self, job: Job) -> Job:
        found = self.ports.jobs.get_by_id(job.job_id)
        assert found is not None
        return found

    def places(self, jobs: list[Job]) -> list[Place | None]:
        return [self.now(job).place for job in jobs]

    def work(self) -> Job | None:
        """A worker takes the next job."""
        message = self.ports.queue.dequeue()
        if message is None:
            return None
        job = self.app.work.claim(message, CLAIMANT).job
        self.ports.queue.acknowledge(message)
        return job

    def complete(self, job: Job) -> None:
        self.app.work.complete(job, Output("k"), 1, (), NOTHING_USED)

    def end_without_passing_on(self, job: Job) -> None:
        """Whoever ends the job dies before he passes its turn on."""
        job = self.now(job)
        change = changes.cancel(job, keep=timedelta(days=1), now=self.clock.now())
        self.ports.jobs.update_status(moved(change, job, None))

    def end_as_the_release_before(self, job: Job) -> None:
        """It knows no accounts."""
        change = changes.cancel(self.now(job), keep=timedelta(days=1), now=self.clock.now())
        self.ports.jobs.update_status(change)
