"""Putting owners' accounts right.

Accounts change together with jobs, so they are right, but for what an earlier release did to jobs while both
ran. A wrong number does harm only if it is too large: then a free turn is not given, or a job is refused.
Therefore only the accounts of owners to whom that happens are looked at, and not too often.
"""

from __future__ import annotations

from datetime import timedelta

from video_jobs.account_ports import AccountEntry
from video_jobs.bindings import Ports
from video_jobs.domain.accounts import counted
from video_jobs.domain.job import Job
from video_jobs.domain.rules import Rules
from video_jobs.domain.turns import bytes_awaited
from video_jobs.use_cases.turns import Turns

RECOUNT_EVERY = timedelta(hours=1)
"""A recount reads every open job of the owner."""


class Recount:
    """Compares accounts with the jobs that they count."""

    def __init__(self, ports: Ports, rules: Rules) -> None:
        self._ports = ports
        self._turns = Turns(ports, rules)

    def doubted(self) -> list[str]:
        """Owners who were refused; some of them, if they are many."""
        return self._ports.accounts.list_doubted()

    def settle(self, owner: str) -> bool:
        """Recount a doubted account, and doubt it no longer."""
        is_changed = self.recount(owner)
        self._ports.accounts.trust(owner)
        return is_changed

    def free_turns(self, owner: str) -> bool:
        """Take the turns of jobs that an earlier release ended, and say whether there were any.

        It reads only the jobs that were sent, so it may be done at each run.
        """
        return self._left(self._jobs_of(self._ports.accounts.list_sent(owner)))

    def recount(self, owner: str) -> bool:
        """Put the owner's account right, unless that was done lately; whether it was wrong.

        Raises
        ------
        ConflictError
            If the account was changed meanwhile.
        """
        now, accounts = self._ports.clock.now(), self._ports.accounts
        seen = accounts.read(owner)
        if seen.recounted_at is not None and now < seen.recounted_at + RECOUNT_EVERY:
            return False
        listed = accounts.list_open(owner)
        jobs = self._jobs_of(listed)
        if self._left(jobs):
            return True
        counts = counted([(job.place, bytes_awaited(job)) for job in jobs])
        accounts.put_right(owner, seen, counts, now)
        there = {job.job_id for job in jobs}
        for entry in (entry for entry in listed if entry.job_id not in there):
            accounts.forget(owner, entry)
        return any(getattr(seen, name) != count for name, count in counts.items())

    def _jobs_of(self, entries: list[AccountEntry]) -> list[Job]:
        jobs = self._ports.jobs.list_by_ids(entry.job_id for entry in entries)
        return [job for job in jobs if job.place is not None]

    def _left(self, jobs: list[Job]) -> bool:
        ended = [job for job in jobs if not job.status.is_open]
        for job in ended:
            self._turns.leave(job)
        return bool(ended)
