"""``video-jobs config``: profiles, each with a server and how to log in."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from video_jobs_client.cli.commands import add
from video_jobs_client.cli.help import Group
from video_jobs_client.cli.session import Session
from video_jobs_client.profiles import KEYS, Config
from video_jobs_client.settings import PROFILE_VARIABLE

app = typer.Typer(
    cls=Group,
    help="Show and change profiles: servers, and how to log in there.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Key = Annotated[str, typer.Argument(metavar="KEY", help=f"One of: {', '.join(KEYS)}.")]


def list_profiles(session: Session) -> None:
    """List the profiles."""
    config = Config.read()
    if session.output.is_json:
        session.output.json({name: config.values(name) for name in config.names})
        return
    rows = [
        (name + (" (default)" if name == config.default_name else ""), key, value)
        for name in config.names
        for key, value in config.values(name).items()
    ]
    session.output.table(("profile", "key", "value"), rows)
    if not rows:
        session.output.hint("There is no profile yet: video-jobs config set url ADDRESS")


def get(session: Session, key: Key) -> None:
    """Print one setting of the profile."""
    config = Config.read()
    session.output.line(config.value(_name(session, config), key))


def set_value(
    session: Session,
    key: Key,
    value: Annotated[str, typer.Argument(metavar="VALUE", help="What it becomes.")],
) -> None:
    """Change one setting of the profile; a new name makes a new profile."""
    config = Config.change(lambda now: now.with_value(_name(session, now), key, value))
    session.output.note(f"Profile {_name(session, config)}: {key} is {value}")


def unset(session: Session, key: Key) -> None:
    """Remove one setting of the profile."""
    Config.change(lambda now: now.without_value(_name(session, now), key))


def use(
    session: Session, name: Annotated[str, typer.Argument(metavar="PROFILE", help="The name of a profile.")]
) -> None:
    """Make a profile the default one."""
    Config.change(lambda now: now.with_default(name))
    session.output.note(f"The default profile is {name}")


def path(session: Session) -> None:
    """Print where the profiles are kept."""
    session.output.line(str(Config.read().path))


def _name(session: Session, config: Config) -> str:
    return session.profile or os.environ.get(PROFILE_VARIABLE) or config.default_name


add(app, list_profiles, name="list")
add(app, get)
add(
    app,
    set_value,
    name="set",
    examples="  video-jobs config set url https://api.example.com\n"
    "  video-jobs config set issuer https://login.example.com --profile work",
)
add(app, unset)
add(app, use)
add(app, path)
