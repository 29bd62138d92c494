"""Use cases for videos that the service fetches from a URL; `Intake.submit_source` makes their jobs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from enum import StrEnum

from video_jobs.domain import fetch_changes
from video_jobs.domain.errors import (
    ConflictError,
    FileMissingError,
    InvalidVideoError,
    SourceError,
    SourceInterruptedError,
)
from video_jobs.domain.job import Failure, Job, is_job_id
from video_jobs.domain.webhooks import retry_delay_s
from video_jobs.use_cases.base import UseCases
from video_jobs.use_cases.fetch_turn import LEASE, FetchTurn

MAX_FAILURES = 5
"""A job fails when so many tries in a row stored nothing."""


class FetchOutcome(StrEnum):
    """What became of one turn of a fetch."""

    FETCHED = "fetched"
    PAUSED = "paused"
    RETRIED_LATER = "retried_later"
    FAILED = "failed"
    DECLINED = "declined"
    TAKEN_AWAY = "taken_away"


class Sources(UseCases):
    """Fetch videos from the URLs that clients submit."""

    def fetch(self, job_id: str) -> FetchOutcome:
        """Fetch the job's video, or a part of it, if nobody else does; its object's event goes on from there.

        A repeated call changes nothing. What does not end now is sent again, or `reconcile` sends it.
        """
        job = self._claimed(job_id)
        if job is None:
            return FetchOutcome.DECLINED
        turn = FetchTurn(self._ports, self._rules, job)
        try:
            return self._taken(turn)
        except ConflictError:
            self._leave(turn.job)
            return FetchOutcome.TAKEN_AWAY

    def _claimed(self, job_id: str) -> Job | None:
        job = self._ports.jobs.get_by_id(job_id) if is_job_id(job_id) else None
        if job is None or not job.awaits_source:
            return None
        claim = fetch_changes.claim_fetch(
            job, fetcher_id=self._ports.ids.new_id(), lease=LEASE, now=self._now()
        )
        try:
            return self._ports.jobs.update_status(claim)
        except ConflictError:
            return None

    def _taken(self, turn: FetchTurn) -> FetchOutcome:
        try:
            if turn.run():
                return FetchOutcome.FETCHED
        except InvalidVideoError as exc:
            return self._failed(turn.job, Failure(exc.code, exc.message))
        except SourceError as exc:
            return self._retried_or_failed(turn, exc)
        except FileMissingError:  # the upload was removed, perhaps because the job was cancelled
            return self._retried_or_failed(turn, SourceInterruptedError(may_pass=True))
        self._send_later(turn.job, failures=0, delay_s=0)
        return FetchOutcome.PAUSED

    def _retried_or_failed(self, turn: FetchTurn, error: SourceError) -> FetchOutcome:
        failures = 1 if turn.has_stored else turn.source.failures + 1
        if not error.may_pass or failures >= MAX_FAILURES:
            return self._failed(turn.job, Failure(error.code, error.message))
        self._send_later(turn.job, failures=failures, delay_s=retry_delay_s(failures))
        return FetchOutcome.RETRIED_LATER

    def _send_later(self, job: Job, *, failures: int, delay_s: int) -> None:
        """Release the fetch, then send it; in the other order, the message could find it held."""
        if job.upload.source is None:
            raise ConflictError
        source = replace(job.upload.source, failures=failures)
        pause = fetch_changes.pause_fetch(
            job, source=source, delay=timedelta(seconds=delay_s), now=self._now()
        )
        self._ports.jobs.update_status(pause)
        self._ports.fetches.send(job.job_id, delay_s)

    def _failed(self, job: Job, failure: Failure) -> FetchOutcome:
        change = fetch_changes.fail_fetch(job, failure, keep=self._rules.keep, now=self._now())
        self._without_chunks(self._turns.end(job, change))
        return FetchOutcome.FAILED

    def _leave(self, job: Job) -> None:
        """Leave no chunks that nobody needs: one may have come after its upload was removed."""
        upload_id = job.upload.multipart_id
        now = self._ports.jobs.get_by_id(job.job_id)
        in_use = now is not None and now.awaits_source and now.upload.multipart_id == upload_id
        if not in_use and upload_id is not None:
            self._ports.uploads.abort(job.upload.key, upload_id)
