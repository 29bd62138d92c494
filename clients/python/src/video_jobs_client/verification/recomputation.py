"""The local worker as another program, which computes parts of a job once more."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from video_jobs_client.verification.errors import (
    OtherVideoError,
    VerificationError,
    WorkerFailedError,
    WorkerMissingError,
    WorkerSettingError,
)
from video_jobs_client.verification.frames import FrameBytes

_PACKAGE = "video_worker"
_MISSING = (
    "The worker is not installed for {python}: run `make setup` in a checkout of ForgeSyte Video Jobs, and "
    "use its .venv/bin/python or .venv/bin/video-jobs"
)
_SETTINGS = "It needs the model and the settings that the service's workers have"

Range = tuple[int, int | None]
"""The first part, and the one before which the range ends; None for the end of the video."""


@dataclass(frozen=True, slots=True)
class Task:
    """What the worker reads from its standard input."""

    job: Mapping[str, Any]
    parts: tuple[Range, ...]
    part_frames: int

    def write_to(self, file: IO[bytes]) -> None:
        """Write it, and go back to the start."""
        value = {"job": dict(self.job), "parts": self.parts, "part_frames": self.part_frames}
        file.write(json.dumps(value).encode())
        file.seek(0)


def find_worker(python: str | os.PathLike[str] | None) -> str:
    """The interpreter that runs the worker: this one if none is named.

    Raises
    ------
    WorkerMissingError
        If the worker is not installed for this one.
    """
    if python is not None:
        return os.fspath(python)
    if find_spec(_PACKAGE) is None:
        raise WorkerMissingError(_MISSING.format(python=sys.executable))
    return sys.executable


class Recomputation:
    """What a running worker tells.

    Attributes
    ----------
    fingerprint
        What it computes with.
    """

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines
        self.fingerprint: Mapping[str, Any] = json.loads(next(lines))["fingerprint"]
        self._line = next(lines, b"")

    def ranges(self) -> Iterator[tuple[Range, Iterator[FrameBytes]]]:
        """Each range of the task with its frames, which must be read before the next range.

        Raises
        ------
        WorkerFailedError, OtherVideoError
            If the worker fails, here or while frames are read.
        """
        while self._line:
            first, end = json.loads(self._line)["parts"]
            self._line = next(self._lines, b"")
            yield (first, end), self._frames()

    def _frames(self) -> Iterator[FrameBytes]:
        while self._line.startswith(b"["):
            time, _, text = self._line.removeprefix(b"[").partition(b",")
            yield FrameBytes.of(text.removesuffix(b"]\n"), time)
            self._line = next(self._lines, b"")


@contextmanager
def running(python: str, video: Path, task: Task) -> Iterator[Recomputation]:
    """A worker that computes a task; it is killed at the end, if it has not ended.

    Raises
    ------
    WorkerMissingError
        If it is not installed for this interpreter, or there is no such interpreter.
    WorkerFailedError, OtherVideoError
        If it fails before it has told its fingerprint.
    """
    with TemporaryFile() as told, TemporaryFile() as errors:
        task.write_to(told)
        process = _started(python, video, told, errors)
        with process:
            try:
                yield Recomputation(_lines(process, python, errors))
            finally:
                process.kill()


def _started(python: str, video: Path, told: IO[bytes], errors: IO[bytes]) -> subprocess.Popen[bytes]:
    # it has nothing to do with the client's server, so it does not get the client's token
    environment = {name: value for name, value in os.environ.items() if not name.startswith("VIDEO_JOBS_")}
    command = [python, "-m", f"{_PACKAGE}.recompute", str(video.absolute())]
    try:
        return subprocess.Popen(  # noqa: S603 - the interpreter that the caller names
            command, stdin=told, stdout=subprocess.PIPE, stderr=errors, env=environment
        )
    except OSError as error:
        raise WorkerMissingError(f"{python} cannot be run: {error.strerror}") from None


def _lines(process: subprocess.Popen[bytes], python: str, errors: IO[bytes]) -> Iterator[bytes]:
    """The complete lines of the output, until the worker has ended without an error."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(b'{"error":'):
            raise _told_error(**json.loads(line)["error"])
        if line.endswith(b"\n"):
            yield line
    if process.wait() != 0:
        errors.seek(0)
        raise _death(process.returncode, python, errors.read().decode(errors="replace"))


def _told_error(code: str, message: str) -> VerificationError:
    if code == "unreadable_video":
        return OtherVideoError(f"The worker cannot read the video: {message}")
    if code == "invalid_setting":
        return WorkerSettingError(f"The worker cannot start: {message}. {_SETTINGS}")
    reason = message.strip().rpartition("\n")[2]  # which is where a traceback tells it
    return WorkerFailedError(f"The worker cannot compute it ({code}): {reason}")


def _death(exit_code: int, python: str, errors: str) -> VerificationError:
    if f"No module named '{_PACKAGE}" in errors or f"No module named {_PACKAGE}" in errors:
        return WorkerMissingError(_MISSING.format(python=python))
    if exit_code < 0:
        return WorkerFailedError(f"The worker was ended by {signal.Signals(-exit_code).name}")
    last = errors.strip().rpartition("\n")[2]
    return WorkerFailedError(f"The worker ended with exit code {exit_code}: {last}")
