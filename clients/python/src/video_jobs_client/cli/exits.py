"""Exit codes, and how each error ends the program."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import NoReturn, TextIO

import typer

from video_jobs_client import errors
from video_jobs_client.cli.text import shown

DEBUG_VARIABLE = "VIDEO_JOBS_DEBUG"


class ExitCode(IntEnum):
    """What the program's exit status tells; the table of ``docs/cli.md``."""

    OK = 0
    UNEXPECTED = 1
    USAGE = 2
    UNREACHABLE = 3
    FORBIDDEN = 4
    JOB_FAILED = 5
    NOT_FOUND = 6
    REFUSED = 7
    TIMEOUT = 8
    DIFFERS = 9
    INTERRUPTED = 130
    BROKEN_PIPE = 141


MEANINGS = {
    ExitCode.OK: "everything went well",
    ExitCode.UNEXPECTED: "something unexpected went wrong",
    ExitCode.USAGE: "the command or a setting is wrong",
    ExitCode.UNREACHABLE: "the service, its storage or its login is away or failed: try again",
    ExitCode.FORBIDDEN: "not logged in, or not allowed",
    ExitCode.JOB_FAILED: "the job failed",
    ExitCode.NOT_FOUND: "no such job, or it has no results yet",
    ExitCode.REFUSED: "refused: wrong file or option, quota, or a state that does not allow it",
    ExitCode.TIMEOUT: "the time for waiting is over; the job goes on",
    ExitCode.DIFFERS: "verify or diff found differences",
    ExitCode.INTERRUPTED: "interrupted with Ctrl-C; jobs go on",
    ExitCode.BROKEN_PIPE: "the program that read the output ended first",
}

_CODES: tuple[tuple[type[errors.VideoJobsClientError], ExitCode], ...] = (
    (errors.JobFailedError, ExitCode.JOB_FAILED),
    (errors.WaitTimeoutError, ExitCode.TIMEOUT),
    (errors.UnauthenticatedError, ExitCode.FORBIDDEN),
    (errors.ForbiddenError, ExitCode.FORBIDDEN),
    (errors.NotFoundError, ExitCode.NOT_FOUND),
    (errors.ServerError, ExitCode.UNREACHABLE),
    (errors.ServiceUnreachableError, ExitCode.UNREACHABLE),
    (errors.UnknownStatusError, ExitCode.UNEXPECTED),
    (errors.UnexpectedAnswerError, ExitCode.UNREACHABLE),
    (errors.VideoFileChangedError, ExitCode.REFUSED),
    (errors.UploadError, ExitCode.UNREACHABLE),
    (errors.DownloadError, ExitCode.UNREACHABLE),
    (errors.VideoJobsClientError, ExitCode.REFUSED),
)
"""The first class that fits decides."""

_HINTS: tuple[tuple[type[errors.VideoJobsClientError], str], ...] = (
    (errors.UnauthenticatedError, "Log in with `video-jobs login`, or set VIDEO_JOBS_TOKEN."),
    (errors.ServiceUnreachableError, "Check the address with `video-jobs config list`, or try again later."),
    (errors.VideoFileChangedError, ""),
    (errors.UploadError, "Run the same command again: it goes on where it ended."),
    (errors.JobNotCompletedError, "Wait for it with `video-jobs watch JOB`."),
    (errors.JobNotFoundError, "`video-jobs list` shows your jobs."),
    (errors.WaitTimeoutError, "Wait again with `video-jobs watch JOB`."),
    (errors.SoundError, "Add --no-sound."),
)


_OPENINGS = frozenset({"nobody", "nothing", "no", "the", "there"})
"""Words that get a capital; what begins otherwise may be a name or an address, which stays as it is."""


def exit_code_of(error: errors.VideoJobsClientError) -> ExitCode:
    """The exit code for an error."""
    from video_jobs_client.addresses import SettingsError
    from video_jobs_client.login.errors import IssuerAwayError, LoginError
    from video_jobs_client.verification.errors import WorkerSettingError

    codes = (
        (SettingsError, ExitCode.USAGE),
        (WorkerSettingError, ExitCode.USAGE),
        (IssuerAwayError, ExitCode.UNREACHABLE),
        (LoginError, ExitCode.FORBIDDEN),
        *_CODES,
    )
    return next(code for kind, code in codes if isinstance(error, kind))


def message_of(error: errors.VideoJobsClientError) -> str:
    """What an error says, and what to do, as one or two safe sentences."""
    said = " ".join(str(error).split()) or " ".join((type(error).__doc__ or "").split())
    hint = next((hint for kind, hint in _HINTS if isinstance(error, kind)), "")
    said = said[:1].upper() + said[1:] if said.partition(" ")[0] in _OPENINGS else said
    sentence = shown(said).rstrip(".")
    end = "" if sentence.endswith(("?", "!")) else "."
    return f"{sentence}{end} {hint}".rstrip()


def message_about(name: str, error: errors.VideoJobsClientError) -> str:
    """The same, with the name of the file or job that it is about, unless it says that already."""
    sentence = message_of(error)
    return sentence if name in sentence else f"{name}: {sentence}"


def tell(message: str) -> None:
    """Say on stderr what went wrong."""
    _say(f"Error: {message}")


def tell_interrupted(what_next: str = "") -> None:
    """Say on stderr that Ctrl-C was heard, and how to come back."""
    _say(f"Interrupted. {what_next}".rstrip())


def _say(text: str) -> None:
    try:
        print(text, file=sys.stderr)  # noqa: T201 - the command line prints
    except OSError:
        _discard(sys.stderr)  # nobody hears it; the exit code tells it all the same


@contextmanager
def ending() -> Iterator[None]:
    """Whatever happens, the program ends with an exit code and without a traceback."""
    try:
        yield
        sys.stdout.flush()
    except (typer.BadParameter, typer.Exit, typer.Abort):
        raise  # which Typer ends by itself
    except KeyboardInterrupt:
        tell_interrupted()
        _end(ExitCode.INTERRUPTED)
    except errors.VideoJobsClientError as error:
        _trace_if_wanted()
        tell(message_of(error))
        _end(exit_code_of(error))
    except OSError as error:
        _end_without_reader(error)
        _trace_if_wanted()
        tell(shown(f"{error.filename or 'The output or a file'}: {error.strerror or error}."))
        _end(ExitCode.REFUSED)
    except Exception as error:  # noqa: BLE001 - the outermost place; users get a sentence
        _trace_if_wanted()
        tell(f"Unexpected: {type(error).__name__}. Set {DEBUG_VARIABLE}=1 to see where, and report it.")
        _end(ExitCode.UNEXPECTED)


@contextmanager
def ending_without_reader() -> Iterator[None]:
    """Around what Typer does: it has an exit code of its own for a reader that is gone."""
    try:
        yield
    except OSError as error:
        _end_without_reader(error)
        raise


def _end_without_reader(error: OSError) -> None:
    if _is_broken_pipe(error):
        _end(ExitCode.BROKEN_PIPE)


def _is_broken_pipe(error: OSError) -> bool:
    # Windows says EINVAL when the reader of a pipe is gone
    return error.errno == errno.EPIPE or (os.name == "nt" and error.errno == errno.EINVAL)


def _trace_if_wanted() -> None:
    if os.environ.get(DEBUG_VARIABLE, "") not in ("", "0"):
        import traceback

        traceback.print_exc()


def _end(code: ExitCode) -> NoReturn:
    for file in (sys.stdout, sys.stderr):
        try:
            file.flush()
        except OSError:
            _discard(file)
    sys.exit(int(code))


def _discard(file: TextIO) -> None:
    """Let what is still buffered go nowhere: it must not fail again when the program ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), file.fileno())
