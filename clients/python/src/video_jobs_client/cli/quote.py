"""``video-jobs quote``: what a job would take and cost."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, cast

import typer

from video_jobs_client.cli.job_options import job_options
from video_jobs_client.cli.session import Session
from video_jobs_client.cli.text import seconds_in_words
from video_jobs_client.cli.values import refuse_missing
from video_jobs_client.files import ffmpeg_name
from video_jobs_client.options import QuoteOptions


def quote(
    session: Session,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The video; it is not sent.")],
    options: dict[str, Any],
) -> None:
    """Say what a job would take and cost; nothing is submitted.

    The quote rests on the speed of earlier jobs with such options.
    """
    refuse_missing(file)
    facts: dict[str, Any] = {"size_bytes": file.stat().st_size, **_facts_of(file), **job_options(options)}
    with session.client() as client:
        found = client.quote(**cast("QuoteOptions", facts))
    if session.output.is_json:
        session.output.json(found)
        return
    end = found.seconds_to_end
    session.output.facts(
        [
            ("compute time", _time(found.compute_seconds)),
            ("cost", None if found.cost_usd is None else f"{found.cost_usd:.4f} USD"),
            ("ends in (half of the jobs)", _time(end.p50)),
            ("ends in (95 % of the jobs)", _time(end.p95)),
            ("frames", found.video and found.video.frames),
            ("measured on", f"{found.based_on.jobs} jobs"),
        ]
    )
    if found.compute_seconds is None:
        session.output.note("Nothing like this job was measured yet, so its time is not known.")


def _facts_of(path: Path) -> dict[str, Any]:
    """Duration, frame rate and size of the pictures, if the packages that read them are installed."""
    try:
        import av
    except ImportError:
        return {}
    try:
        with av.open(ffmpeg_name(path)) as container:
            stream = container.streams.video[0]
            facts: dict[str, Any] = {"width": stream.width, "height": stream.height}
            if stream.duration and stream.time_base:
                facts["duration_ms"] = round(float(stream.duration * stream.time_base) * 1000, 3)
            if stream.average_rate:
                facts["average_frame_rate"] = round(float(stream.average_rate), 6)
    except (av.FFmpegError, IndexError):
        return {}
    return facts


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else seconds_in_words(seconds)
