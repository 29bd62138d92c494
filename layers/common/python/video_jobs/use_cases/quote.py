"""Use cases for what jobs take: record it after a job, and say it before one."""

from __future__ import annotations

from dataclasses import replace

from video_jobs.bindings import Ports
from video_jobs.domain.errors import FleetError, TransientError
from video_jobs.domain.fleet import Workload
from video_jobs.domain.job import Job, JobOptions
from video_jobs.domain.quotes import ClaimedVideo, QueueState, Quote, price_of, quote
from video_jobs.domain.rules import Rules
from video_jobs.domain.speeds import JobTiming, Speed
from video_jobs.use_cases.base import UseCases
from video_jobs.use_cases.intake import Intake, check_size


class Quotes(UseCases):
    """Keep the speed of the workers, and say what a job would take."""

    def __init__(self, ports: Ports, rules: Rules, intake: Intake) -> None:
        super().__init__(ports, rules)
        self._intake = intake

    def record_speed(self, job: Job, timing: JobTiming) -> None:
        """Add what a completed job took to what is known of its pipeline.

        Raises
        ------
        TransientError
            If the table did not answer.
        """
        measured = Speed.of_job(job, timing, self._now())
        if measured is not None:
            self._ports.speeds.add(measured)

    def quote_job(self, claimed: ClaimedVideo, options: JobOptions) -> Quote:
        """What a job with these options would take, cost and wait; nothing is changed.

        Raises
        ------
        InvalidRequestError
            If an option is wrong.
        VideoTooLargeError
            If no way of submitting takes so large a video.
        TransientError
            If the table or the queue did not answer.
        """
        options = self._intake.checked_options(options)
        check_size(claimed.size_bytes or 0, self._rules.max_multipart_bytes)
        speeds = self._ports.speeds.list_speeds(options.pipeline_id)
        quoted = quote(claimed, options, speeds, self._queue_state())
        return replace(quoted, cost_usd=price_of(quoted.compute_s, self._rules.worker_usd_per_hour))

    def _queue_state(self) -> QueueState:
        depth = self._ports.queue.depth()
        seen = Workload(waiting=depth.visible, held=depth.hidden)
        if not self._ports.fleet.is_managed:
            return QueueState.of_unmanaged(seen)
        try:
            record = self._ports.fleet_records.read()
        except FleetError as exc:
            raise TransientError(exc.message) from exc
        return QueueState.of_fleet(seen, record, self._rules.fleet, self._now())
