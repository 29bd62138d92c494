"""What all groups of use cases have in common."""

from __future__ import annotations

from datetime import datetime

from video_jobs.domain import changes
from video_jobs.domain.changes import Change
from video_jobs.domain.errors import ConflictError
from video_jobs.domain.job import Job
from video_jobs.domain.rules import Rules
from video_jobs.ports import Ports


class UseCases:
    """Some use cases, bound to ports and rules."""

    def __init__(self, ports: Ports, rules: Rules) -> None:
        self._ports = ports
        self._rules = rules

    def _now(self) -> datetime:
        return self._ports.clock.now()

    def _send(self, job: Job) -> None:
        """Put the job into the jobs queue, then note that it is there.

        A crash in between sends it twice, which harms nothing; the other order could lose it.
        """
        self._ports.queue.enqueue(job.job_id, job.generation)
        try:
            self._ports.jobs.update_status(changes.mark_queued(job, now=self._now()))
        except ConflictError:
            return  # a worker holds the job already

    def _change_unless_stale(self, job: Job, change: Change) -> Job:
        """The job after the change, or as another left it meanwhile."""
        try:
            return self._ports.jobs.update_status(change)
        except ConflictError:
            return self._ports.jobs.get_by_id(job.job_id) or job
