"""Keep the lease of a job or a segment, and the message of a job, while a worker works on it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import NamedTuple, Self

from aws_lambda_powertools import Logger
from video_jobs.application import VideoJobs
from video_jobs.domain.errors import ReceiptExpiredError, TransientError
from video_jobs.domain.job import Job, Progress
from video_jobs.ports import Clock, QueueMessage
from video_jobs.use_cases.work import LeaseLostError


class Keeping(NamedTuple):
    """What a beat does.

    Attributes
    ----------
    lease
        How long the lease lasts after a beat.
    extend
        Extends the lease, and records the progress; raises `LeaseLostError` if somebody else has it.
    hold_message
        Extends the visibility of the message.
    progress
        What the first beats record.
    """

    lease: timedelta
    extend: Callable[[Progress], None]
    hold_message: Callable[[], None] = lambda: None
    progress: Progress = Progress()

    @classmethod
    def of_job(cls, app: VideoJobs, job: Job, message: QueueMessage, lease: timedelta) -> Self:
        """Keep a job and its message."""
        visibility_s = int(lease.total_seconds())
        return cls(
            lease,
            lambda progress: app.work.heartbeat(job, lease, progress),
            lambda: app.ports.queue.extend(message, visibility_s),
            job.progress,
        )


class Heartbeat(AbstractContextManager["Heartbeat"]):
    """A thread that extends a lease, and the message's visibility with it.

    Parameters
    ----------
    on_beat
        Called after each beat of the thread.

    Attributes
    ----------
    lost
        Set when the worker no longer holds the job: it was taken over, failed or cancelled.
    progress
        What the next beat records; the worker sets it.
    """

    def __init__(
        self,
        keeping: Keeping,
        pause_s: float,
        clock: Clock,
        logger: Logger,
        *,
        on_beat: Callable[[], None] = lambda: None,
    ) -> None:
        self._keeping = keeping
        self._pause_s = pause_s
        self._clock, self._logger, self._on_beat = clock, logger, on_beat
        self._lease_ends = clock.now() + keeping.lease
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._beat_until_done, name="heartbeat", daemon=True)
        self.lost = threading.Event()
        self.progress = keeping.progress

    def __enter__(self) -> Heartbeat:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _beat_until_done(self) -> None:
        while not self._done.wait(self._pause_s) and not self.lost.is_set():
            self.beat()
            self._on_beat()

    def beat(self) -> None:
        """Extend both once; if AWS does not answer, the next beat does it."""
        try:
            self._keeping.extend(self.progress)
            self._lease_ends = self._clock.now() + self._keeping.lease
            self._keeping.hold_message()
        except LeaseLostError:
            self.lost.set()
        except ReceiptExpiredError:
            self._logger.warning("message lost, lease held", action="receipt_expired")
        except TransientError as error:
            self._logger.warning("heartbeat missed", action="heartbeat_missed", reason=error.message)
            if self._clock.now() >= self._lease_ends:
                self.lost.set()
