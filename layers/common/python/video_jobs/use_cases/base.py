"""The base of all groups of use cases."""

from __future__ import annotations

from datetime import datetime

from video_jobs.bindings import Ports
from video_jobs.domain.changes import Change
from video_jobs.domain.errors import ConflictError
from video_jobs.domain.job import Job, UploadState
from video_jobs.domain.rules import Rules
from video_jobs.use_cases.turns import Turns


class UseCases:
    """A group of use cases, bound to ports and rules."""

    def __init__(self, ports: Ports, rules: Rules) -> None:
        self._ports = ports
        self._rules = rules
        self._turns = Turns(ports, rules)

    def _now(self) -> datetime:
        return self._ports.clock.now()

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
