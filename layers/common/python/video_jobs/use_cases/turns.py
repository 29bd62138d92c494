"""Sending jobs to the jobs queue in turns: only so many of an owner are there at once.

Turns are decided when jobs are sent. A message that a worker only received to return it would come nearer to
the dead letters each time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from video_jobs.account_ports import AccountEntry
from video_jobs.bindings import Ports
from video_jobs.domain import changes
from video_jobs.domain.accounts import Place, TurnError
from video_jobs.domain.changes import Change
from video_jobs.domain.errors import ConflictError, QuotaError, TransientError
from video_jobs.domain.job import Job
from video_jobs.domain.rules import Rules
from video_jobs.domain.turns import leave_account, move_of, moved, take_turn

_TRIES = 5


class Turns:
    """Gives jobs their turns, and sends those that have one."""

    def __init__(self, ports: Ports, rules: Rules) -> None:
        self._ports, self._rules = ports, rules
        is_strict = rules.fleet.strict_order
        self._place_of_sent = Place.OPEN if is_strict else Place.SENT
        self._turns = None if is_strict else rules.running_per_owner

    def admit(self, job: Job) -> None:
        """Save a new job, if its owner may have it.

        Raises
        ------
        ConflictError
            If a job with this id exists already.
        QuotaError
            If the owner would have more than he may.
        """
        entry = move_of(replace(job, place=None), job.place)
        entry = replace(entry, quotas=self._rules.quotas, submitted_at=job.created_at)
        with self._doubts_noted(job.owner):
            self._ports.jobs.save(job, entry)

    def make_ready(self, job: Job, change: Change) -> Job:
        """Make the change after which the job is to be sent: now, if a turn is free; otherwise it waits.

        It waits only if no turn is free at that moment, so that an ended job passes its turn on to it. A
        job that had ended must be allowed by its owner's quotas.
        """
        quotas = None if job.status.is_open else self._rules.quotas
        with self._doubts_noted(job.owner):
            for place in (self._place_of_sent, Place.WAITING) * _TRIES:
                with suppress(TurnError):
                    ready = moved(change, job, place, turns=self._turns, quotas=quotas)
                    return self._ports.jobs.update_status(ready)
        raise TransientError("Turns came and went at each try")

    def send(self, job: Job) -> None:
        """Send the job to the jobs queue, then record that it was sent.

        If the process dies in between, the job is sent twice, which does no harm; in the other order it
        could be lost.
        """
        self._ports.queue.enqueue(job.job_id, job.generation)
        with suppress(ConflictError):  # a worker holds the job already
            self._ports.jobs.update_status(changes.mark_queued(job, now=self._ports.clock.now()))

    def end(self, job: Job, change: Change) -> Job:
        """Make the change that ends the job, and pass its turn on to the owner's oldest waiting job.

        If it cannot be passed on now, `reconcile` does that.
        """
        ended = self._ports.jobs.update_status(moved(change, job, None))
        if job.place is Place.SENT:
            with suppress(ConflictError, TransientError, TurnError):
                self.give_turn(job.owner)
        return ended

    def give_turn(self, owner: str, otherwise: Job | None = None) -> Job | None:
        """Give a turn to the owner's oldest waiting job and send it; to ``otherwise`` if none is listed.

        Returns
        -------
        Job or None
            The job that has the turn; None if nobody waits.

        Raises
        ------
        TurnError
            If no turn is free.
        ConflictError
            If the job was changed meanwhile.
        """
        for _ in range(_TRIES):
            listed = self._ports.accounts.oldest_waiting(owner)
            job = otherwise if listed is None else self._ports.jobs.get_by_id(listed.job_id)
            if job is not None and job.waits:
                return self._sent_in_turn(job)
            if listed is None:
                return None
            self._forget(owner, listed, job)
        return None

    def leave(self, job: Job) -> None:
        """Count an ended job no longer, which an earlier release ended."""
        self._ports.jobs.update_status(leave_account(job))

    def _sent_in_turn(self, job: Job) -> Job:
        change = take_turn(job, self._place_of_sent, self._turns, now=self._ports.clock.now())
        job = self._ports.jobs.update_status(change)
        self.send(job)
        return job

    def _forget(self, owner: str, listed: AccountEntry, job: Job | None) -> None:
        """Take a job from the list that an earlier release, which knows no turns, sent, ended or deleted."""
        if job is not None and job.place is Place.WAITING and not job.status.is_open:
            self.leave(job)
        else:
            self._ports.accounts.forget(owner, listed)

    @contextmanager
    def _doubts_noted(self, owner: str) -> Iterator[None]:
        """Have the account recounted of an owner who is refused, in case its numbers are wrong."""
        try:
            yield
        except QuotaError:
            with suppress(TransientError):
                self._ports.accounts.doubt(owner)
            raise
