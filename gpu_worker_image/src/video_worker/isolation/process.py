"""The worker's handle of one analysing process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

import psutil
from video_jobs.domain.errors import AnalysisCrashedError, TransientError, VideoJobsError
from video_jobs.settings import ServiceSettings, WorkerSettings

from video_worker.isolation.messages import Answer

_KILLED = -signal.SIGKILL


_PROGRAM = """
import sys
sys.path[:] = {path!r}
from video_worker.isolation.child import main
main({descriptor}, {parent_pid})
"""
_PREFIXES_OF_AWS = ("AWS_", "ECS_")


class AnalysisProcess:
    """One analysing process: a fresh program, because a fork would inherit locks and handles of devices."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._connection, theirs = Pipe()
        with theirs:
            program = _PROGRAM.format(
                path=[entry or str(Path.cwd()) for entry in sys.path],
                descriptor=theirs.fileno(),
                parent_pid=os.getpid(),
            )
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-c", program],
                env=_environment_without_aws(),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )
        with suppress(BrokenPipeError, ConnectionResetError):  # the first answer tells that it has ended
            self._connection.send(settings)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

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
        code = self._process.wait()
        if code == _KILLED:
            return TransientError("The analysing process was killed, most likely for lack of memory")
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return AnalysisCrashedError(
            f"The analysis crashed on this video ({how}); convert it to H.264 and submit it again"
        )

    def kill(self) -> None:
        """End the process at once; it may have ended already."""
        self._process.kill()
        self._process.wait()
        self._connection.close()


def _environment_without_aws() -> dict[str, str]:
    """The worker's environment without what leads to AWS: the analysing process sees only pictures."""
    names_of_ours = {name.upper() for name in ServiceSettings.__struct_fields__}
    return {
        name: value
        for name, value in os.environ.items()
        if name not in names_of_ours and not name.startswith(_PREFIXES_OF_AWS)
    }
