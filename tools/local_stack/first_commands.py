"""The first commands to try on a service that runs here."""

from __future__ import annotations

from pathlib import Path

TINY = Path("tests/fixtures/tiny.mp4")


def first_commands(url: str, video: Path = TINY, issuer_url: str | None = None) -> str:
    """Three commands for another terminal; with an issuer, those that log in come before them."""
    program = ".venv/bin/video-jobs"
    login = []
    if issuer_url is not None:
        login = [
            f"{program} config set issuer {issuer_url}",
            f"{program} config set client_id local",
            f"{program} login",
        ]
    commands = [
        f"export VIDEO_JOBS_URL={url}" if issuer_url is None else f"{program} config set url {url}",
        *login,
        f"{program} submit {video} --watch",
        f"{program} summary last",
        f"{program} annotate last -o annotated.mp4",
    ]
    return "\n".join(f"  {command}" for command in commands)
