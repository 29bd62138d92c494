"""The analysing process's handle of the fork server and of the decoders that it forks."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict
from pathlib import Path

import psutil
from video_jobs.domain.errors import (
    AnalysisCrashedError,
    ResourceLimitError,
    TransientError,
    VideoJobsError,
)

from video_worker.sandbox.confinement import FEATURES
from video_worker.sandbox.fork_server import END, ENDED, FORK, FORKED, READY, Request
from video_worker.sandbox.limits import DecoderLimits
from video_worker.sandbox.records import JobRecord

_START_LIMIT_S = 60.0
_ANSWER_LIMIT_S = 30.0
_PATIENCE_S = 1.0

_PROGRAM = """
import sys
sys.path[:] = {path!r}
from video_worker.sandbox.fork_server import main
from video_worker.sandbox.limits import DecoderLimits
main({control}, {opener!r}, DecoderLimits(**{limits!r}))
"""
_FOR_LIBRARIES = {
    "OPENBLAS_NUM_THREADS": "1",  # NumPy starts no threads
    # glibc keeps the memory of a picture for the next one. Otherwise it gives it back to the system and asks
    # for it anew, picture by picture, which takes as long as decoding.
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
}
_KEPT_VARIABLES = ("LD_LIBRARY_PATH",)


class DecoderProcess:
    """One decoder, which waits for its file."""

    def __init__(self, server: ForkServer, connection: socket.socket) -> None:
        self._server = server
        self.connection = connection
        self.pid = 0

    def hand_over(self, job: JobRecord, *descriptors: int) -> None:
        """Give it the open file, the memory for its pictures, and perhaps an index."""
        socket.send_fds(self.connection, [job.encode()], descriptors)

    def memory_bytes(self) -> int:
        """Resident memory, without the libraries and the pictures that it shares with others."""
        try:
            used = psutil.Process(self.pid).memory_info()
        except psutil.NoSuchProcess:
            return 0
        return int(used.rss - getattr(used, "shared", 0))

    def death(self) -> VideoJobsError:
        """End it after it has hung up, and tell the job what happened."""
        self.connection.close()
        by_itself, status, cpu_s = self._server.end(self.pid, _PATIENCE_S)
        if not by_itself:
            return AnalysisCrashedError("The decoder hung up on this video; convert it to H.264")
        return _death(status, cpu_s, self._server.limits)

    def kill(self) -> None:
        """End it, whatever it is doing."""
        self.connection.close()
        with suppress(TransientError):  # the server and its decoders are gone
            self._server.end(self.pid, 0)


class ForkServer(AbstractContextManager["ForkServer"]):
    """A running fork server.

    Entering starts it; `wait_until_ready` waits until it has warmed up. Leaving ends it and its decoders.
    """

    def __init__(self, opener: str, limits: DecoderLimits, path: Sequence[str] = tuple(sys.path)) -> None:
        self.limits = limits
        self._control, theirs = socket.socketpair()
        self._forking: DecoderProcess | None = None
        with theirs:
            program = _PROGRAM.format(
                path=[entry or str(Path.cwd()) for entry in path],
                control=theirs.fileno(),
                opener=opener,
                limits=asdict(limits),
            )
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-I", "-c", program],
                env=_environment(),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )

    def __exit__(self, *_: object) -> None:
        if self._forking is not None:
            self._forking.connection.close()
        self._control.close()  # the server ends its decoders and itself
        try:
            self._process.wait(_ANSWER_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it can fork."""
        return self._process.poll() is None

    def wait_until_ready(self) -> tuple[str, ...]:
        """Wait until it has warmed up; the names of what this host lacks to confine decoders.

        Raises
        ------
        TransientError
            If it does not start.
        """
        (missing,) = READY.unpack(self._answer(READY.size, _START_LIMIT_S))
        return tuple(name for bit, name in enumerate(FEATURES) if missing & 1 << bit)

    def begin_fork(self) -> None:
        """Have the next decoder forked, without waiting for it."""
        ours, theirs = socket.socketpair()
        self._forking = DecoderProcess(self, ours)
        with theirs:
            try:
                socket.send_fds(self._control, [Request(FORK).encode()], [theirs.fileno()])
            except OSError as exc:
                raise _gone() from exc

    def next_decoder(self) -> DecoderProcess:
        """The decoder that was forked ahead."""
        if self._forking is None:
            self.begin_fork()
        self._end_fork()
        decoder, self._forking = self._forking, None
        if decoder is None:
            raise _gone()
        return decoder

    def end(self, pid: int, patience_s: float) -> tuple[bool, int, float]:
        """End a decoder: whether it ended by itself, its wait status, and its CPU time in seconds."""
        self._end_fork()  # answers come in the order of requests
        try:
            self._control.sendall(Request(END, pid, patience_s).encode())
        except OSError as exc:
            raise _gone() from exc
        by_itself, status, cpu_s = ENDED.unpack(self._answer(ENDED.size, _ANSWER_LIMIT_S))
        return by_itself, status, cpu_s

    def _end_fork(self) -> None:
        if self._forking is not None and self._forking.pid == 0:
            (self._forking.pid,) = FORKED.unpack(self._answer(FORKED.size, _ANSWER_LIMIT_S))

    def _answer(self, size: int, limit_s: float) -> bytes:
        self._control.settimeout(limit_s)
        try:
            content = self._control.recv(size, socket.MSG_WAITALL)
        except OSError as exc:
            raise _gone() from exc
        if len(content) != size:
            raise _gone()
        return content


def _environment() -> dict[str, str]:
    """Nothing but what Python may need to start, and what tells libraries how to work."""
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return {**kept, **_FOR_LIBRARIES}


def _gone() -> TransientError:
    return TransientError("The process that starts decoders has ended, most likely for lack of memory")


def _death(status: int, cpu_s: float, limits: DecoderLimits) -> VideoJobsError:
    code = os.waitstatus_to_exitcode(status)
    if code in (-signal.SIGXCPU, -signal.SIGKILL) and cpu_s >= limits.cpu_s:
        return ResourceLimitError(
            f"Decoding this video takes more than {limits.cpu_s} s of CPU time; "
            "submit a shorter video, or one with smaller pictures"
        )
    if code == -signal.SIGKILL:
        return TransientError("The decoder was killed, most likely for lack of memory")
    if code == -signal.SIGSYS:
        return AnalysisCrashedError(
            "Decoding this video was stopped, because the decoder tried something that it must not do; "
            "convert the video to H.264 and submit it again"
        )
    how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    return AnalysisCrashedError(
        f"The decoder crashed on this video ({how}); convert it to H.264 and submit it again"
    )
