"""``video-jobs verify``: recompute parts of a job with the worker on this machine, and compare the bytes."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from video_jobs_client.cli.commands import JobName
from video_jobs_client.cli.exits import ExitCode
from video_jobs_client.cli.progress import bars
from video_jobs_client.cli.session import Session
from video_jobs_client.cli.values import refuse_missing


def verify(
    session: Session,
    job: JobName,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="The video; by default, it is fetched from the service."),
    ] = None,
    parts: Annotated[
        int, typer.Option("--parts", min=1, metavar="NUMBER", help="Recompute so many parts.")
    ] = 3,
    everything: Annotated[bool, typer.Option("--all", help="Recompute all of the video.")] = False,
) -> ExitCode:
    """Recompute parts of a job on this machine, and compare them.

    Each frame is compared byte for byte. The worker must be installed beside this program, and MODEL_PATH
    must name the model of the service. Another model or kind of processor may give other results; the output
    says where they differ. The exit code is 9 if frames differ.
    """
    import msgspec

    from video_jobs_client.verification import PartChoice
    from video_jobs_client.verification import verify as verified
    from video_jobs_client.verification.recomputation import find_worker

    find_worker(None)  # before a video is fetched in vain
    if file is not None:
        refuse_missing(file)
    with session.client() as client, tempfile.TemporaryDirectory(prefix="video-jobs-") as folder:
        found = session.job(client, job)
        results = found.download(Path(folder) / "results.json")
        video = file or found.download(Path(folder) / "video.mp4", "video")
        with bars(session.output) as shown_bars:
            bar = shown_bars.add("recomputing")
            report = verified(
                msgspec.to_builtins(found.resource),
                video,
                results,
                choice=PartChoice(count=None if everything else parts),
                on_frame=lambda count: bar.show(count, None, f"{count} frames"),
            )
    if session.output.is_json:
        session.output.json(report)
    else:
        for entry in report.fingerprint:
            session.output.line(
                f"{entry.name}: the job had {entry.of_job}, this worker has {entry.of_worker}"
            )
        for frame in report.differences:
            session.output.line(f"frame {frame.frame_index}: {frame.what}")
        equal = report.frames_compared - report.frames_different
        session.output.line(f"{equal} of {report.frames_compared} frames have the same bytes")
    return ExitCode.OK if report.is_equal else ExitCode.DIFFERS
