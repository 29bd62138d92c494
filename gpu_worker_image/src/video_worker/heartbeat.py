"""Keep a job's lease and its message while a worker runs the job."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

from aws_lambda_powertools import Logger
from video_jobs.application import VideoJobs
from video_jobs.domain.errors import ReceiptExpiredError, TransientError
from video_jobs.domain.job import Job
from video_jobs.ports import QueueMessage
from video_jobs.use_cases.work import LeaseLostError


class Heartbeat(AbstractContextManager["Heartbeat"]):
    """A thread that extends the lease and the message's visibility together.

    Parameters
    ----------
    pulse
        Called at each beat, whether AWS answers or not.

    Attributes
    ----------
    lost
        Set when the worker no longer holds the job: it was taken over, failed or cancelled.
    progress
        What the next beat records; the worker sets it.
    """

    def __init__(
        self,
        app: VideoJobs,
        job: Job,
        message: QueueMessage,
        lease: timedelta,
        pause_s: float,
        logger: Logger,
        *,
        pulse: Callable[[], None] = lambda: None,
    ) -> None:
        self._app, self._logger, self._pulse = app, logger, pulse
        self._job, self._message, self._lease = job, message, lease
        self._pause_s = pause_s
        self._lease_ends = self._now() + lease
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._beat_until_done, name="heartbeat", daemon=True)
        self.lost = threading.Event()
        self.progress = job.progress

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
        """Extend both once; if AWS does not answer, the next beat does it."""
        self._pulse()
        try:
            self._app.work.heartbeat(self._job, self._lease, self.progress)
            self._lease_ends = self._now() + self._lease
            self._app.ports.queue.extend(self._message, int(self._lease.total_seconds()))
        except LeaseLostError:
            self.lost.set()
        except ReceiptExpiredError:
            self._logger.warning("message lost, lease held", action="receipt_expired")
        except TransientError as error:
            self._logger.warning("heartbeat missed", action="heartbeat_missed", reason=error.message)
            if self._now() >= self._lease_ends:
                self.lost.set()

    def _now(self) -> datetime:
        return self._app.ports.clock.now()
