"""``video-jobs`` login and logout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from video_jobs_client.addresses import SettingsError
from video_jobs_client.cli.session import Session

if TYPE_CHECKING:
    from video_jobs_client.profiles import LoginSettings


def login(
    session: Session,
    machine: Annotated[
        bool,
        typer.Option(
            "--machine",
            help="Log in with VIDEO_JOBS_CLIENT_ID and VIDEO_JOBS_CLIENT_SECRET, without a browser.",
        ),
    ] = False,
) -> None:
    """Log in with your browser, or as a program with a secret.

    The profile names the issuer: see `video-jobs config set`.

    The token is kept in the keyring of the system, or in a file that only you can read.
    """
    from video_jobs_client.login import TokenStore, log_in_as_machine, log_in_with_browser

    how, output = _how(session), session.output
    if machine:
        tokens = log_in_as_machine(how)
    else:
        tokens = log_in_with_browser(
            how, show_url=lambda url: output.note(f"Your browser opens this page; if not, open it:\n{url}")
        )
    where = TokenStore.of_this_user().save(session.server.account, tokens)
    output.note(f"Logged in to {session.server.url}. The token is in {where}.")


def logout(session: Session) -> None:
    """Forget the token of the profile on this machine."""
    from video_jobs_client.login import TokenStore

    was_there = TokenStore.of_this_user().delete(session.server.account)
    session.output.note("Logged out" if was_there else "There was no login")


def _how(session: Session) -> LoginSettings:
    profile = session.server.profile
    if profile is None or profile.login is None:
        raise SettingsError(
            f"nothing says how to log in to {session.server.url}: run `video-jobs config set issuer ADDRESS` "
            "and `video-jobs config set client_id ID`"
        )
    return profile.login
