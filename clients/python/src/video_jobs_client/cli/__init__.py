"""The command line ``video-jobs``. Needs the extra ``cli`` of the package (Typer, Rich)."""

from __future__ import annotations

import io
import os
import sys
from typing import TextIO

_MISSING = "The command line is not installed: run  pip install 'video-jobs-client[cli]'"
_PROGRAM = "video-jobs"


def main() -> None:
    """Run the command line; ends the program with one of the documented exit codes."""
    try:
        import typer  # noqa: F401 - only whether it is there
    except ModuleNotFoundError:
        sys.exit(_MISSING)
    from video_jobs_client.cli.app import app
    from video_jobs_client.cli.exits import ending

    _prepare_output()
    with ending():
        app(prog_name=_PROGRAM)


def _prepare_output() -> None:
    """Files and pipes get UTF-8 with plain line ends on every system; a terminal keeps its own encoding."""
    # Somebody may have closed them, as in  video-jobs list >&-
    sys.stdout = _buffered(sys.stdout or _nowhere())
    sys.stderr = _buffered(sys.stderr or _nowhere())
    for file in (sys.stdout, sys.stderr):
        file.reconfigure(errors="backslashreplace")  # type: ignore[attr-defined]  # both are real files here
    if not sys.stdout.isatty():
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", newline="")  # type: ignore[attr-defined]


def _buffered(file: TextIO) -> TextIO:
    """The file with a buffer, which PYTHONUNBUFFERED takes away; each line goes out at once all the same.

    Without a buffer, what a write leaves over, as on a full disk, is lost without an error.
    """
    if not isinstance(file, io.TextIOWrapper) or not isinstance(file.buffer, io.RawIOBase):
        return file
    encoding, errors, raw = file.encoding, file.errors, file.detach()
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding, errors, line_buffering=True)


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 - open until the program ends
