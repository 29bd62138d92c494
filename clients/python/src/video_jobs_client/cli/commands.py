"""How a function becomes a command: it gets the session, and all commands share the global options."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any, get_type_hints

import typer

from video_jobs_client.cli.exits import ExitCode, ending
from video_jobs_client.cli.help import Command
from video_jobs_client.cli.session import Session
from video_jobs_client.cli.values import refuse_odd_values

Group = Mapping[str, Any]
"""Options that a function gets together as one dictionary: their names and annotated types."""


def _profiles(incomplete: str) -> list[str]:
    from video_jobs_client.errors import VideoJobsClientError
    from video_jobs_client.profiles import Config

    try:
        return [name for name in Config.read().names if name.startswith(incomplete)]
    except VideoJobsClientError:
        return []


ProfileName = Annotated[
    str | None,
    typer.Option(
        "--profile", metavar="NAME", help="Use this profile: its server and login.", autocompletion=_profiles
    ),
]
ServerUrl = Annotated[
    str | None, typer.Option("--url", metavar="URL", help="Use the service at this address.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Quietly = Annotated[bool, typer.Option("--quiet", "-q", help="Print no progress and no hints.")]
GLOBALS: Group = {"profile": ProfileName, "url": ServerUrl, "json": AsJson, "quiet": Quietly}
_DEFAULTS = {"profile": None, "url": None, "json": False, "quiet": False}


def use_globals(session: Session, profile: str | None, url: str | None, *, json: bool, quiet: bool) -> None:
    """Take over what the global options say; they may stand before or after the command."""
    session.profile = profile or session.profile
    session.url = url or session.url
    session.output.is_json |= json
    session.output.is_quiet |= quiet


def add(
    app: typer.Typer,
    function: Callable[..., object],
    *,
    name: str | None = None,
    examples: str = "",
    groups: Mapping[str, Group] | None = None,
) -> None:
    """Add a function to an app. Its first parameter is the session; it may return an exit code.

    Parameters
    ----------
    examples
        Are shown at the end of its help, as they stand.
    groups
        Parameters that stand for several options, which the function gets as a dictionary without those that
        were not given.
    """
    epilog = f"\b\nExamples:\n{examples}" if examples else None
    app.command(name or function.__name__, cls=Command, epilog=epilog)(_command(function, groups or {}))


def _command(function: Callable[..., object], groups: Mapping[str, Group]) -> Callable[..., None]:
    def command(ctx: typer.Context, **values: Any) -> None:
        refuse_odd_values(ctx, values)
        session: Session = ctx.obj
        use_globals(session, **{name: values.pop(name) for name in GLOBALS})
        for group, members in groups.items():
            given = {member: values.pop(member) for member in members}
            values[group] = {member: value for member, value in given.items() if value is not None}
        with ending():
            code = function(session, **values)
        if isinstance(code, ExitCode) and code is not ExitCode.OK:
            raise typer.Exit(int(code))

    command.__name__, command.__doc__ = function.__name__, function.__doc__
    parameters = [inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)]
    parameters += _own_parameters(function, groups)
    parameters += [_option(name, hint, _DEFAULTS[name]) for name, hint in GLOBALS.items()]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {one.name: one.annotation for one in parameters}
    return command


def _own_parameters(function: Callable[..., object], groups: Mapping[str, Group]) -> list[inspect.Parameter]:
    hints = get_type_hints(function, include_extras=True)
    found: list[inspect.Parameter] = []
    for name, parameter in list(inspect.signature(function).parameters.items())[1:]:
        if name in groups:
            found += [_option(member, hint, None) for member, hint in groups[name].items()]
        else:
            found.append(_option(name, hints[name], parameter.default))
    return found


def _option(name: str, hint: Any, default: object) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hint)


def known_jobs(ctx: typer.Context, incomplete: str) -> list[str]:
    """Jobs of this machine for the completion of a shell; it asks no server."""
    from video_jobs_client.errors import VideoJobsClientError

    session = ctx.find_root().obj if isinstance(ctx.find_root().obj, Session) else Session()
    try:
        ids = session.record.job_ids()
    except VideoJobsClientError:
        return []
    return [one for one in ("last", *reversed(ids)) if one.startswith(incomplete)]


JOB_HELP = 'The id of a job, its first 4 or more characters, or "last".'
JobName = Annotated[str, typer.Argument(metavar="JOB", help=JOB_HELP, autocompletion=known_jobs)]
JobNames = Annotated[
    list[str],
    typer.Argument(
        metavar="JOB",
        help='Ids of jobs, their first 4 or more characters, or "last".',
        autocompletion=known_jobs,
    ),
]
