"""The command line ``video-jobs``. Needs the extra ``cli`` of the package (Typer, Rich)."""

from __future__ import annotations

import sys

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

    for file in (sys.stdout, sys.stderr):
        file.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # both are real files here
    with ending():
        app(prog_name=_PROGRAM)
