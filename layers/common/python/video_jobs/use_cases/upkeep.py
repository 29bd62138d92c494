"""Use cases for the schedule and the dead-letter queue: repair jobs that were left behind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import NamedTuple

from video_jobs.bindings import Ports
from video_jobs.domain import changes
from video_jobs.domain.accounts import TurnError
from video_jobs.domain.errors import ConflictError, SourceTooSlowError
from video_jobs.domain.fetch_changes import resend_fetch
from video_jobs.domain.job import Failure, Job, JobStatus, UploadState, is_job_id
from video_jobs.domain.rules import Rules
from video_jobs.domain.turns import keep_waiting
from video_jobs.use_cases.base import UseCases
from video_jobs.use_cases.fetch_turn import check_deadline
from video_jobs.use_cases.intake import Intake
from video_jobs.use_cases.recount import Recount
from video_jobs.use_cases.work import too_many_crashes

HasTime = Callable[[], bool]
"""Whether there is time to handle one more job."""
DEAD_LETTER = Failure(
    "dead_letter",
    "The job was given up: its message was delivered many times and no worker could finish it. "
    "Convert the video and submit it again, or tell the operator.",
)
UPLOAD_EXPIRED = Failure(
    "upload_expired",
    "The video was never uploaded; submit the job again (under a new Idempotency-Key).",
)


class JobStillHeldError(Exception):
    """A worker still holds the job, so the message must be looked at again later."""


def always() -> bool:
    """There is time for all jobs that are due."""
    return True


class Repair(NamedTuple):
    """A job that was due, and the action that was taken; a recounted account is no job's."""

    job_id: str | None
    action: str


class Upkeep(UseCases):
    """Repair jobs whose message, worker or upload was lost."""

    def __init__(self, ports: Ports, rules: Rules, intake: Intake) -> None:
        super().__init__(ports, rules)
        self._intake = intake
        self._recount = Recount(ports, rules)

    def reconcile(self, has_time: HasTime = always) -> Counter[str]:
        """Do all `repairs`, and count how many jobs each action was taken for."""
        return Counter(repair.action for repair in self.repairs(has_time))

    def repairs(self, has_time: HasTime = always) -> Iterator[Repair]:
        """Take back jobs whose lease has ended, send lost jobs again, give lost turns, and fail jobs whose
        video never came.

        They are handled in this order. ``has_time`` is asked before each one, and the rest stays due. A job
        that was handled is not due again at once. At the end, doubted accounts are recounted.
        """
        at_limit: set[str] = set()
        for job in self._ports.jobs.list_due(self._now()):
            if not has_time():
                return
            try:
                action = self._heal_waiting(job, at_limit) if job.waits else self._heal(job)
            except ConflictError:
                action = "changed_meanwhile"
            if action is not None:
                yield Repair(job.job_id, action)
        yield from self._recounts(has_time)

    def _recounts(self, has_time: HasTime) -> Iterator[Repair]:
        for owner in self._recount.doubted():
            if not has_time():
                return
            with suppress(ConflictError):  # the next run tries again
                if self._recount.settle(owner):
                    yield Repair(None, "account_recounted")

    def bury(self, job_id: str, generation: int) -> Job | None:
        """Fail the job of a dead message, if the message is its newest and no worker holds it.

        Raises
        ------
        JobStillHeldError
            If a lease is live; the message must stay in the queue.
        ConflictError
            If the job was changed meanwhile; the message must be looked at again.
        """
        job = self._ports.jobs.get_by_id(job_id) if is_job_id(job_id) else None
        if job is None or not job.status.is_open or generation < job.generation:
            return job
        if job.is_held(self._now()):
            raise JobStillHeldError(job_id)
        return self._fail(job, DEAD_LETTER)

    def _heal(self, job: Job) -> str:
        """Take the action that is due for one job, and return its name."""
        if job.status is JobStatus.RUNNING:
            return self._heal_running(job)
        if job.upload.state is UploadState.ACCEPTED:
            self._turns.send(self._ports.jobs.update_status(changes.requeue(job, now=self._now())))
            return "sent_again"
        if self._ports.storage.find_file(job.upload.key) is not None:
            self._intake.accept_upload(job.upload.key)
            return "accepted_late"
        if job.awaits_source:
            return self._heal_fetch(job)
        self._without_chunks(self._fail(job, UPLOAD_EXPIRED))
        return "failed"

    def _heal_waiting(self, job: Job, at_limit: set[str]) -> str | None:
        """Give a turn that nobody passed on; ``at_limit`` are the owners without a free one."""
        given = None if job.owner in at_limit else self._turn_given(job, at_limit)
        if given is None or given.job_id != job.job_id:
            self._ports.jobs.update_status(keep_waiting(job, now=self._now()))
        return None if given is None else "turn_given"

    def _turn_given(self, job: Job, at_limit: set[str]) -> Job | None:
        with suppress(TurnError):
            return self._turns.give_turn(job.owner, otherwise=job)
        with suppress(ConflictError, TurnError):
            if self._recount.free_turns(job.owner) or self._recount.recount(job.owner):
                return self._turns.give_turn(job.owner, otherwise=job)
        at_limit.add(job.owner)
        return None

    def _heal_fetch(self, job: Job) -> str:
        try:
            check_deadline(job, self._now(), self._rules)
        except SourceTooSlowError as exc:
            self._without_chunks(self._fail(job, Failure(exc.code, exc.message)))
            return "failed"
        self._ports.jobs.update_status(resend_fetch(job, now=self._now()))
        self._ports.fetches.send(job.job_id)
        return "fetched_again"

    def _heal_running(self, job: Job) -> str:
        if job.crashes + 1 >= self._rules.max_crashes:
            self._fail(job, too_many_crashes(job.crashes + 1))
            return "failed"
        self._turns.send(self._ports.jobs.update_status(changes.take_back(job, now=self._now())))
        return "taken_back"

    def _fail(self, job: Job, failure: Failure) -> Job:
        change = changes.fail_unheld(job, failure, keep=self._rules.keep, now=self._now())
        return self._turns.end(job, change)
