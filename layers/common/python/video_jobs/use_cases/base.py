"""The base of all groups of use cases."""

from __future__ import annotations

from datetime import datetime

from video_jobs.bindings import Ports
from video_jobs.domain import changes
from video_jobs.domain.changes import Change
from video_jobs.domain.errors import ConflictError
from video_jobs.domain.job import Job, UploadState
from video_jobs.domain.rules import Rules


class UseCases:
    """A group of use cases, bound to ports and rules."""

    def __init__(self, ports: Ports, rules: Rules) -> None:
        self._ports = ports
        self._rules = rules

    def _now(self) -> datetime:
        return self._ports.clock.now()

    def _send(self, job: Job) -> None:
        """Send the job to the jobs queue, then record that it was sent.

        If the process dies in between, the job is sent twice, which does no harm; in the other order it
        could be lost.
        """
        self._ports.queue.enqueue(job.job_id, job.generation)
        try:
            self._ports.jobs.update_status(changes.mark_queued(job, now=self._now()))
        except ConflictError:
            return  # a worker holds the job already

    def _without_chunks(self, job: Job) -> Job:
        """Remove what is there of a multipart upload that the job, which has ended, awaited."""
        upload = job.upload
        if upload.multipart_id is not None and upload.state is not UploadState.ACCEPTED:
            self._ports.uploads.abort(upload.key, upload.multipart_id)
        return job

    def _change_unless_stale(self, job: Job, change: Change) -> Job:
        """Make the change; if the job was changed meanwhile, return it as it is now."""
        try:
            return self._ports.jobs.update_status(change)
        except ConflictError:
            return self._ports.jobs.get_by_id(job.job_id) or job
