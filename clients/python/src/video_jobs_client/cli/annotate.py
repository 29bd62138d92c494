"""``video-jobs annotate``: draw what was found on the video."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from video_jobs_client.cli.commands import JobName
from video_jobs_client.cli.session import Session
from video_jobs_client.cli.values import refuse_missing
from video_jobs_client.errors import AnnotationError


def annotate(
    session: Session,
    job: JobName,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="The video; by default, it is fetched from the service."),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="PATH", help="Write the MP4 to this file.")
    ] = Path("annotated.mp4"),
    no_sound: Annotated[bool, typer.Option("--no-sound", help="Leave the sound out.")] = False,
) -> None:
    """Draw what was found on the video.

    Writes an MP4 with boxes, texts and tracks, and with the times and the sound of the video.
    """
    try:
        from video_jobs_client.annotate import annotate_video
    except ImportError:
        raise AnnotationError(
            "Drawing needs more packages: run  pip install 'video-jobs-client[video]'"
        ) from None
    if file is not None:
        refuse_missing(file)
    with session.client() as client, tempfile.TemporaryDirectory(prefix="video-jobs-") as folder:
        found = session.job(client, job)
        results = found.results()
        video = file or found.download(Path(folder) / "video.mp4", "video")
        annotate_video(video, results, output, has_sound=not no_sound)
    session.output.note(f"Written to {output}")
