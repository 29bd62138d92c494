"""``video-jobs submit``: send videos, each content once."""

from __future__ import annotations

import glob
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from video_jobs_client.cli.exits import ExitCode, exit_code_of, message_about, tell, tell_interrupted
from video_jobs_client.cli.job_options import job_options
from video_jobs_client.cli.progress import Bar, bars
from video_jobs_client.cli.record import content_key
from video_jobs_client.cli.session import Session
from video_jobs_client.cli.text import shown
from video_jobs_client.cli.values import NO_TEXT
from video_jobs_client.cli.watch import Timeout, watch_jobs
from video_jobs_client.errors import (
    JobNotFoundError,
    SourceError,
    TooManyRequestsError,
    VideoJobsClientError,
)
from video_jobs_client.options import is_text

if TYPE_CHECKING:
    from video_jobs_client.client import Client
    from video_jobs_client.options import Options
    from video_jobs_client.uploads import UploadSettings

Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE", help='Videos, patterns such as "clips/*.mp4", https:// URLs, or - for a pipe.'
    ),
]
_PIPE = "-"


def submit(
    session: Session,
    files: Files,
    *,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Wait until the jobs have ended.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Submit also what was submitted before.")] = False,
    timeout: Timeout = None,
    options: dict[str, Any],
) -> ExitCode:
    """Submit videos: one job for each file.

    Prints the ids of the jobs. A video that was submitted before with the same options is not sent again,
    even under another name; --again sends it. If an upload is interrupted, the same command continues it.
    """
    sources = list(_sources(files))
    with session.client() as client:
        submission = Submission(session, client, job_options(options), again)
        code = submission.run(sources)
    if not watch or code is ExitCode.INTERRUPTED:
        if submission.job_ids:
            session.output.hint(f"To wait for it: video-jobs watch {' '.join(submission.job_ids)}")
        return code
    ended = watch_jobs(session, submission.job_ids, timeout) if submission.job_ids else ExitCode.OK
    return ended if code is ExitCode.OK or ended is ExitCode.INTERRUPTED else code


def _sources(names: Sequence[str]) -> Iterator[str]:
    """Patterns are expanded here as well: quoted ones, and all of them on Windows."""
    for name in names:
        # Path.exists() raises an error for some names, such as too long ones
        if _is_url(name) or os.path.exists(name) or not glob.has_magic(name):  # noqa: PTH110
            yield name
            continue
        matches = glob.glob(name, recursive=True)  # noqa: PTH207 - a pattern may be absolute
        found = sorted(one for one in matches if Path(one).is_file())
        if not found:
            raise SourceError(f"no file fits the pattern {name}")
        yield from found


def _is_url(name: str) -> bool:
    return name.startswith(("https://", "http://"))


@dataclass
class Submission:
    """Sends one file after the other; a file that is refused does not keep the others back."""

    session: Session
    client: Client
    options: Options
    is_again: bool

    def __post_init__(self) -> None:
        self.job_ids: list[str] = []
        self._is_recorded = True

    def run(self, sources: Sequence[str]) -> ExitCode:
        """Submit all; gives the exit code of the first that was refused."""
        first = ExitCode.OK
        for source in sources:
            try:
                self._submit(source)
            except VideoJobsClientError as error:
                code = exit_code_of(error)
                if code is not ExitCode.REFUSED or isinstance(error, TooManyRequestsError):
                    raise  # it would be the same with the next file
                tell(message_about(shown(_name(source)), error))
                first = first or code
            except KeyboardInterrupt:
                goes_on = "Run the same command again: the upload goes on where it ended."
                tell_interrupted("" if source == _PIPE else goes_on)
                return ExitCode.INTERRUPTED
        return first

    def _submit(self, source: str) -> None:
        if _is_url(source):
            if not is_text(source):
                raise SourceError(f"{_name(source)} {NO_TEXT}")
            self._has(source, self._send(source, source))
            return
        if source == _PIPE:
            self._has(source, self._send(source, _standard_input()))
            return
        path = _checked(source)
        if path.is_fifo():
            with path.open("rb") as pipe:
                self._has(source, self._send(source, pipe))
            return
        key = content_key(path, self.options)
        known = None if self.is_again else self._known(key)
        if known is not None:
            self._has(source, known, key, is_new=False)
        else:
            self._has(source, self._send(source, path), key)

    def _known(self, key: str) -> str | None:
        """The job of this content, unless it failed or is gone."""
        job_id = self.session.record.job_of(key)
        if job_id is None:
            return None
        try:
            job = self.client.jobs.get(job_id)
        except JobNotFoundError:
            return None
        return None if job.status == "failed" else job_id

    def _send(self, name: str, video: str | Path | BinaryIO) -> str:
        options: Options = {**self.options}
        if isinstance(video, Path):
            options["filename"] = _file_name(video)
        with bars(self.session.output) as shown_bars:
            bar = shown_bars.add(_name(name))
            return self.client.analyse(video, upload=_settings(bar), **options).id

    def _has(self, source: str, job_id: str, key: str | None = None, *, is_new: bool = True) -> None:
        """The source has a job: remember it as the last one, and tell it in any case."""
        try:
            self.session.record.add(key, job_id)
        except OSError as error:
            if self._is_recorded:
                self.session.output.note(
                    f"The job cannot be remembered ({error.strerror}): {self.session.record.path}"
                )
            self._is_recorded = False
        self._tell(source, job_id, is_new=is_new)

    def _tell(self, source: str, job_id: str, *, is_new: bool) -> None:
        self.job_ids.append(job_id)
        output, name = self.session.output, _name(source)
        sentence = (
            f"{name}: job {job_id}"
            if is_new
            else f"{name} was submitted before as job {job_id}; --again submits it anyway"
        )
        if output.is_json:
            output.json({"job_id": job_id, "file": name, "submitted": is_new})
        elif output.has_tables:
            output.line(sentence)
        else:
            output.line(job_id)
            output.note(sentence)


def _settings(bar: Bar) -> UploadSettings:
    from video_jobs_client.uploads import UploadSettings

    return UploadSettings(on_progress=lambda state: bar.show_bytes(state.sent_bytes, state.total_bytes))


def _checked(name: str) -> Path:
    """A file or a named pipe."""
    try:
        kind = Path(name).stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise SourceError(f"there is no file {name}") from None
    except OSError as error:
        raise SourceError(f"{name} cannot be read ({error.strerror})") from None
    if stat.S_ISDIR(kind):
        raise SourceError(f'{name} is a folder: name its files, for example "{name}/*.mp4"')
    if not stat.S_ISREG(kind) and not stat.S_ISFIFO(kind):
        raise SourceError(f"{name} is neither a file nor a pipe")
    return Path(name)


def _standard_input() -> BinaryIO:
    if sys.stdin is None or sys.stdin.isatty():
        raise SourceError(
            "nothing comes by a pipe: name a file, or send one as in `video-jobs submit - < FILE`"
        )
    return sys.stdin.buffer


def _file_name(path: Path) -> str:
    from video_jobs_client.uploads.sources import name_in_utf8

    return name_in_utf8(path)


def _name(source: str) -> str:
    """What may be shown of a source: the query of a URL may hold a signature."""
    return source.partition("?")[0] if _is_url(source) else source
