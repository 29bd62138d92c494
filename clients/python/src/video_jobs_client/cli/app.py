"""All commands of ``video-jobs``; what takes long to import is imported when a command runs."""

from __future__ import annotations

from typing import Annotated

import typer

from video_jobs_client.cli import config
from video_jobs_client.cli.annotate import annotate
from video_jobs_client.cli.commands import AsJson, ProfileName, Quietly, ServerUrl, add, use_globals
from video_jobs_client.cli.diff import diff
from video_jobs_client.cli.exits import MEANINGS
from video_jobs_client.cli.help import Group
from video_jobs_client.cli.job_options import JOB_OPTIONS
from video_jobs_client.cli.jobs import cancel, delete, list_jobs, pipelines, retry, status
from video_jobs_client.cli.login import login, logout
from video_jobs_client.cli.quote import quote
from video_jobs_client.cli.results import results
from video_jobs_client.cli.session import Session
from video_jobs_client.cli.submit import submit
from video_jobs_client.cli.summary import summary
from video_jobs_client.cli.verify import verify
from video_jobs_client.cli.watch import watch

_CODES = "\n".join(f"{code.value:>5}  {meaning}" for code, meaning in MEANINGS.items())
_EPILOG = f"\b\nExit codes:\n{_CODES}"
app = typer.Typer(
    name="video-jobs",
    cls=Group,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _version(is_wanted: bool) -> None:
    if is_wanted:
        from importlib.metadata import version

        typer.echo(f"video-jobs {version('video-jobs-client')}")
        raise typer.Exit


@app.callback(epilog=_EPILOG)
def start(
    ctx: typer.Context,
    profile: ProfileName = None,
    url: ServerUrl = None,
    json: AsJson = False,
    quiet: Quietly = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Find objects and read text in videos with ForgeSyte Video Jobs.

    Say where the service is with VIDEO_JOBS_URL, --url or a profile (`video-jobs config set url`).
    """
    ctx.obj = ctx.obj or Session()
    use_globals(ctx.obj, profile, url, json=json, quiet=quiet)


JOBS = {"options": JOB_OPTIONS}
add(
    app,
    submit,
    groups=JOBS,
    examples="  video-jobs submit clip.mp4 --watch\n  video-jobs submit 'clips/*.mp4' --fps 2",
)
add(app, status, examples="  video-jobs status last\n  video-jobs status last --json")
add(app, list_jobs, name="list", examples="  video-jobs list --status failed --limit 50")
add(app, watch, examples="  video-jobs watch last --timeout 600")
add(
    app,
    results,
    examples="  video-jobs results last --format csv -o boxes.csv\n  video-jobs results last --format vtt",
)
add(app, summary, examples="  video-jobs summary last --most 10")
add(
    app,
    annotate,
    examples="  video-jobs annotate last -o annotated.mp4\n  video-jobs annotate last clip.mp4 --no-sound",
)
add(app, cancel, examples="  video-jobs cancel last")
add(app, retry, examples="  video-jobs retry last")
add(app, delete, examples="  video-jobs delete 3f0f6122 --yes")
add(app, quote, groups=JOBS, examples="  video-jobs quote clip.mp4 --fps 2")
add(app, verify, examples="  video-jobs verify last clip.mp4")
add(app, diff, examples="  video-jobs diff 3f0f6122 77ab01c4")
add(app, pipelines)
add(app, login, examples="  video-jobs login\n  video-jobs login --machine")
add(app, logout)
app.add_typer(config.app, name="config")
