"""Progress bars on standard error, while a person watches."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from video_jobs_client.cli.output import Output
from video_jobs_client.cli.text import bytes_in_words, shortened

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from video_jobs_client.models import JobResource

_NAME_WIDTH = 28


class Bar:
    """One bar; without a terminal it shows nothing."""

    def __init__(self, progress: Progress | None = None, task: TaskID | None = None) -> None:
        self._progress, self._task = progress, task

    def show(self, done: float, total: float | None, amount: str) -> None:
        """Move it."""
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=done, total=total, amount=amount)

    def show_bytes(self, done: int, total: int) -> None:
        """How much was sent or written."""
        self.show(done, total, f"{bytes_in_words(done)} of {bytes_in_words(total)}")

    def show_job(self, job: JobResource) -> None:
        """How far a job is."""
        if job.status == "pending":
            self.show(0, None, "waiting")
        elif job.frames_total is None:
            self.show(job.frames_done, None, f"{job.frames_done} frames")
        else:
            self.show(job.frames_done, job.frames_total, f"{job.frames_done} of {job.frames_total} frames")


class Bars:
    """Several bars, one below the other."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress

    def add(self, name: str, amount: str = "") -> Bar:
        """A new bar with a name of a stranger."""
        if self._progress is None:
            return Bar()
        name = shortened(name, _NAME_WIDTH)
        return Bar(self._progress, self._progress.add_task(name, total=None, amount=amount))


@contextmanager
def bars(output: Output) -> Iterator[Bars]:
    """Bars that go away at the end; none in a pipe, with --quiet, or on a terminal that cannot move up."""
    if output.is_quiet or not sys.stderr.isatty() or os.environ.get("TERM", "") in ("dumb", "unknown"):
        yield Bars(None)
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = output.console(is_error=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[amount]}", markup=False),
        TimeRemainingColumn(),
    )
    # Redirecting would send standard output to standard error, also where it is a pipe.
    progress = Progress(
        *columns, console=console, transient=True, expand=True, redirect_stdout=False, redirect_stderr=False
    )
    with progress:
        output.print_above = console.print
        try:
            yield Bars(progress)
        finally:
            output.print_above = None
