"""Keep a job's lease and its message alive while a worker is at it."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from datetime import timedelta

from aws_lambda_powertools import Logger
from video_jobs.domain import transitions
from video_jobs.domain.errors import ConflictError, ReceiptExpiredError, TransientError
from video_jobs.domain.job import Job
from video_jobs.ports import Clock, JobRepository, QueueMessage, QueueService


class Heartbeat(AbstractContextManager["Heartbeat"]):
    """A thread that extends the lease and the message's visibility together.

    Attributes
    ----------
    lost
        Set when the job is no longer this worker's: it was taken over, failed or cancelled.
    frames_done, frames_total
        What the next beat tells; the worker sets them.
    """

    def __init__(
        self,
        job: Job,
        message: QueueMessage,
        lease: timedelta,
        pause_s: float,
        *,
        jobs: JobRepository,
        queue: QueueService,
        clock: Clock,
        logger: Logger,
    ) -> None:
        self._job, self._message, self._lease = job, message, lease
        self._jobs, self._queue, self._clock, self._logger = jobs, queue, clock, logger
        self._pause_s = pause_s
        self._lease_ends = clock.now() + lease
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._beat_until_done, name="heartbeat", daemon=True)
        self.lost = threading.Event()
        self.frames_done = job.frames_done
        self.frames_total = job.frames_total

    def __enter__(self) -> Heartbeat:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _beat_until_done(self) -> None:
        while not self._done.wait(self._pause_s) and not self.lost.is_set():
            self.beat()

    def beat(self) -> None:
        """Extend both once; a beat that AWS does not answer is made up for by the next."""
        try:
            change = transitions.heartbeat(
                self._job,
                lease=self._lease,
                frames_done=self.frames_done,
                frames_total=self.frames_total,
                now=self._clock.now(),
            )
            self._jobs.update_status(self._job.job_id, change)
            self._lease_ends = self._clock.now() + self._lease
            self._queue.extend(self._message, int(self._lease.total_seconds()))
        except ConflictError:
            self.lost.set()
        except ReceiptExpiredError:
            self._logger.warning("message lost, lease held", action="receipt_expired")
        except TransientError as error:
            self._logger.warning("heartbeat missed", action="heartbeat_missed", reason=error.message)
            if self._clock.now() >= self._lease_ends:
                self.lost.set()
