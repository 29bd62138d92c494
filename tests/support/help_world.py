"""A running job whose segments are kept in memory."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from video_jobs.application import VideoJobs
from video_jobs.bindings import Ports
from video_jobs.domain.accounts import Account
from video_jobs.domain.changes import Change, Expected
from video_jobs.domain.job import Job, JobStatus, Lease, Upload, UploadState
from video_jobs.domain.rules import Rules
from video_jobs.domain.segments import HelpMessage, Segment
from video_jobs.domain.usage import Usage
from video_jobs.use_cases.help import Help, HelpClaim
from video_jobs.use_cases.work import Claimant

from tests.support.clock import ManualClock

JOB_ID = "11111111-1111-4111-8111-111111111111"
LEASE = timedelta(minutes=2)
HOLDER = Claimant(worker_id="holder", lease=LEASE)
HELPER = Claimant(worker_id="helper", lease=LEASE)
USED = Usage(compute_ms=5, frames=2, bytes=7)


class Accounts:
    """One account, whoever asks."""

    def __init__(self) -> None:
        self.sent = 1

    def read(self, owner: str) -> Account:
        return Account(sent=self.sent)


class HelpWorld:
    """A running job of which a worker has opened the video."""

    def __init__(self, **rules: Any) -> None:
        self.clock, self.accounts = ManualClock(), Accounts()
        ports = Ports.in_memory(self.clock, accounts=lambda: self.accounts)
        self.app = VideoJobs(ports, Rules(help_from_parts=8, **rules))
        now = self.clock.now()
        job = Job(
            job_id=JOB_ID,
            owner="ann",
            created_at=now,
            updated_at=now,
            upload=Upload(key="k", state=UploadState.ACCEPTED, version="v1"),
            status=JobStatus.RUNNING,
            lease=Lease("holder", now + LEASE),
            fingerprint={"id": "f"},
        )
        ports.jobs.save(job)

    @property
    def help(self) -> Help:
        return self.app.help

    @property
    def job(self) -> Job:
        job = self.app.ports.jobs.get_by_id(JOB_ID)
        assert job is not None
        return job

    @property
    def segments(self) -> list[Segment]:
        return self.help.look(self.job)

    def change(self, **values: Any) -> None:
        expected = Expected(status=self.job.status)
        self.app.ports.jobs.update_status(
            Change(job_id=JOB_ID, action="test", expected=expected, values=values)  # type: ignore[arg-type]
        )

    def offer(self, *parts: range) -> list[Segment]:
        return self.help.offer(self.job, self.segments, parts)

    def claim(self, number: int = 0, claimant: Claimant = HELPER, fingerprint: str = "f") -> HelpClaim:
        return self.help.claim(HelpMessage(JOB_ID, number), claimant, lambda _: fingerprint)

    def claimed(self, number: int = 0, claimant: Claimant = HELPER) -> Segment:
        segment = self.claim(number, claimant).segment
        assert segment is not None
        return segment

    def messages(self) -> list[str]:
        """What waits in the queue, which is then empty."""
        found = []
        while (message := self.app.ports.queue.dequeue()) is not None:
            found.append(message.body)
            self.app.ports.queue.acknowledge(message)
        return found
