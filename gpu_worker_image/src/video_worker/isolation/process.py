"""The worker's handle of one analysing process."""

from __future__ import annotations

import multiprocessing
import os
import signal
from typing import Any

import psutil
from video_jobs.domain.errors import AnalysisCrashedError, TransientError, VideoJobsError
from video_jobs.settings import WorkerSettings

from video_worker.isolation.child import serve
from video_worker.isolation.messages import Answer

_KILLED = -signal.SIGKILL


class AnalysisProcess:
    """One analysing process. It is spawned, because a fork would inherit locks and handles of devices."""

    def __init__(self, settings: WorkerSettings) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(
            target=serve, args=(theirs, settings, os.getpid()), name="video-analysis", daemon=True
        )
        self._process.start()
        theirs.close()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid or 0

    def usage(self) -> psutil.Process:
        """The process in psutil's terms, to see what it uses.

        Raises
        ------
        AnalysisCrashedError, TransientError
            If the process is gone.
        """
        try:
            return psutil.Process(self.pid)
        except psutil.NoSuchProcess:
            raise self.death() from None

    def send(self, request: Any) -> None:
        """Send a request.

        Raises
        ------
        AnalysisCrashedError, TransientError
            If the process is gone.
        """
        try:
            self._connection.send(request)
        except (BrokenPipeError, ConnectionResetError):
            raise self.death() from None

    def has_answer(self, wait_s: float) -> bool:
        """Whether `receive` would return, or raise, at once."""
        return self._connection.poll(wait_s)

    def receive(self) -> Answer:
        """The next answer.

        Raises
        ------
        AnalysisCrashedError, TransientError
            If the process is gone.
        """
        try:
            answer: Answer = self._connection.recv()
        except (EOFError, ConnectionResetError):
            raise self.death() from None
        return answer

    def death(self) -> VideoJobsError:
        """The error for the job: transient if the process was killed, permanent if it crashed."""
        self._process.join()
        code = self._process.exitcode or 0
        if code == _KILLED:
            return TransientError("The analysing process was killed, most likely for lack of memory")
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return AnalysisCrashedError(
            f"The analysis crashed on this video ({how}); convert it to H.264 and submit it again"
        )

    def kill(self) -> None:
        """End the process at once; it may have ended already."""
        self._process.kill()
        self._process.join()
        self._process.close()
        self._connection.close()
