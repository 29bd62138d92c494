"""Run `video-jobs` in this process, against a service that is played."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import httpx2
from typer.testing import CliRunner
from video_jobs_client.cli.app import app
from video_jobs_client.cli.output import Output
from video_jobs_client.cli.session import Session

from tests.support.played_service import URL, PlayedService, Reply

_OF_THE_USER = ("VIDEO_JOBS_URL", "VIDEO_JOBS_TOKEN", "VIDEO_JOBS_PROFILE", "VIDEO_JOBS_DEBUG")


@dataclass(frozen=True)
class Ran:
    """The end of a command."""

    code: int
    out: str
    err: str


def run_command(
    *arguments: str,
    replies: Sequence[Reply] = (),
    terminal: bool = False,
    url: str | None = URL,
    stdin: bytes | None = None,
) -> Ran:
    """Run one command; without ``url``, settings say where the service is."""
    service = PlayedService(list(replies))
    transport = httpx2.MockTransport(service.reply)
    session = Session(url=url, output=Output(is_terminal=terminal), transport=transport)
    found = CliRunner().invoke(app, list(arguments), obj=session, input=stdin)
    return Ran(found.exit_code, found.stdout, found.stderr)


@contextmanager
def new_user(folder: Path) -> Iterator[None]:
    """Somebody without settings, with 80 columns and UTC; the client tries nothing twice."""
    before = {name: value for name, value in os.environ.items() if name not in _OF_THE_USER}
    folders = {f"VIDEO_JOBS_{name.upper()}_DIR": str(folder / name) for name in ("cache", "config")}
    environment = {**before, **folders, "COLUMNS": "80", "TZ": "UTC"}
    pause = "video_jobs_client.protocol.retries.Retries.pause_s"
    with mock.patch.dict(os.environ, environment, clear=True), mock.patch(pause, return_value=None):
        time.tzset()
        yield
    time.tzset()
