"""The options of a job as options of a command."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, cast

import typer

from video_jobs_client.cli.commands import Group
from video_jobs_client.options import Options


def _text(name: str, metavar: str, text: str, *names: str) -> Any:
    return Annotated[str | None, typer.Option(*names, f"--{name}", metavar=metavar, help=text)]


def _number(kind: type[int] | type[float], text: str, *names: str) -> Any:
    return Annotated[kind | None, typer.Option(*names, metavar="NUMBER", help=text)]


JOB_OPTIONS: Group = {
    "pipeline_id": _text("pipeline", "ID", "Analyse with this one of `video-jobs pipelines`."),
    "start_ms": _number(float, "Begin at this time, in milliseconds.", "--start-ms"),
    "end_ms": _number(float, "End before this time, in milliseconds.", "--end-ms"),
    "frames_per_second": _number(float, "Analyse at most so many frames per second.", "--fps"),
    "frame_stride": _number(int, "Analyse one of so many frames (5: every fifth).", "--frame-stride"),
    "max_frames": _number(int, "Stop after so many analysed frames.", "--max-frames"),
    "region": _text(
        "region",
        "X1,Y1,X2,Y2",
        "Analyse only this part of each frame, as fractions: 0,0.5,1,1 is the lower half.",
    ),
    "classes": _text("classes", "NAME,...", "Keep only objects of these classes."),
    "min_confidence": _number(float, "Drop objects below this confidence, 0 to 1.", "--min-confidence"),
    "text_engine": _text("text-engine", "ID", "Read text with ppocr or tesseract."),
    "languages": _text("languages", "CODE,...", "Languages for tesseract, such as eng,deu."),
    "callback_url": _text("callback-url", "URL", "Call this URL when the job has ended."),
}
_CORNERS = 4


def job_options(given: Mapping[str, Any]) -> Options:
    """The options as the client takes them; raises a usage error for a region that is none."""
    options: dict[str, Any] = dict(given)
    for name in ("classes", "languages"):
        if name in options:
            options[name] = [one.strip() for one in options[name].split(",") if one.strip()]
    if "region" in options:
        options["region"] = _region(options["region"])
    return cast("Options", options)  # the names are those of JOB_OPTIONS


def _region(text: str) -> list[float]:
    try:
        corners = [float(one) for one in text.split(",")]
    except ValueError:
        corners = []
    if len(corners) != _CORNERS:
        raise typer.BadParameter("four numbers are needed, as in 0,0.5,1,1", param_hint="--region")
    if not all(map(math.isfinite, corners)):
        raise typer.BadParameter("a corner is not a finite number", param_hint="--region")
    return corners
