"""``video-jobs annotate``: draw what was found on the video."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from video_jobs_client.cli.commands import JobName
from video_jobs_client.cli.session import Session
from video_jobs_client.errors import AnnotationError


def annotate(
    session: Session,
    job: JobName,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="The video; by default, that of the job is fetched."),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="PATH", help="The MP4 that is written.")
    ] = Path("annotated.mp4"),
    no_sound: Annotated[bool, typer.Option("--no-sound", help="Leave the sound out.")] = False,
) -> None:
    """Write a video with boxes, texts and tracks drawn on it, with its own times and sound."""
    try:
        from video_jobs_client.annotate import annotate_video
    except ImportError:
        raise AnnotationError(
            "Drawing needs more packages: run  pip install 'video-jobs-client[video]'"
        ) from None
    with session.client() as client, tempfile.TemporaryDirectory(prefix="video-jobs-") as folder:
        found = session.job(client, job)
        results = found.results()
        video = file or found.download(Path(folder) / "video.mp4", "video")
        annotate_video(video, results, output, has_sound=not no_sound)
    session.output.note(f"Written to {output}")
