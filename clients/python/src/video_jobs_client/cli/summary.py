"""``video-jobs summary``: which objects and texts were seen, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from video_jobs_client.cli.commands import JobName
from video_jobs_client.cli.output import Output
from video_jobs_client.cli.session import Session

if TYPE_CHECKING:
    from video_jobs_client.summary import Summary

COLUMNS = ("start", "end", "in view", "kind", "name", "frames", "confidence")


def summary(
    session: Session,
    job: JobName,
    most: Annotated[
        int | None,
        typer.Option("--most", min=1, metavar="NUMBER", help="Show only so many: the longest in view."),
    ] = None,
) -> None:
    """Show the objects and texts that were seen, with their times."""
    with session.client() as client:
        found = session.job(client, job).summary()
    if session.output.is_json:
        session.output.json(found.told)
        return
    show_summary(session.output, found, most)


def show_summary(output: Output, found: Summary, most: int | None = None) -> None:
    """The objects and texts as a table; with ``most``, those that were longest in view."""
    from video_jobs_client.intervals import clock
    from video_jobs_client.seen import seen

    rows = [
        (
            clock(one.start_ms),
            clock(one.end_ms),
            clock(one.in_view_ms),
            one.kind,
            one.name,
            one.frames,
            f"{one.confidence:.2f}",
        )
        for one in seen(found, most)
    ]
    output.table(COLUMNS, rows)
    if not rows:
        output.hint("Nothing was seen.")
