"""``video-jobs results``: what was found on each frame, in the format of another program."""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from video_jobs_client.cli.commands import JobName
from video_jobs_client.cli.session import Session

if TYPE_CHECKING:
    from video_jobs_client.cli.output import Output
    from video_jobs_client.jobs import Job


class Format(StrEnum):
    """What results may be written as."""

    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    VTT = "vtt"
    SRT = "srt"
    COCO = "coco"
    MOT = "mot"
    CVAT = "cvat"
    YOLO = "yolo"
    PARQUET = "parquet"


class What(StrEnum):
    """What tables and subtitles tell."""

    OBJECTS = "objects"
    TEXTS = "texts"


_FORMAT_HELP = f"One of: {', '.join(Format)}."
_PART = 1 << 20
_NEEDS_PATH = (Format.YOLO, Format.PARQUET)
FormatOption = Annotated[Format, typer.Option("--format", "-f", metavar="FORMAT", help=_FORMAT_HELP)]
Target = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="PATH", help="Write to this file (yolo: to this folder)."),
]


def results(
    session: Session,
    job: JobName,
    format: FormatOption = Format.JSON,  # noqa: A002
    what: Annotated[
        What | None,
        typer.Option(
            "--what",
            metavar="WHAT",
            help="objects or texts; csv and parquet have objects by default, vtt and srt texts.",
        ),
    ] = None,
    output: Target = None,
) -> None:
    """Write what was found on each frame.

    json is the results file of the service, byte for byte. jsonl has a line for each frame, csv and parquet
    have a row for each object or word. vtt and srt are subtitles; coco, mot, cvat and yolo are for annotation
    tools.
    """
    if output is None and format in _NEEDS_PATH:
        raise typer.BadParameter(
            f"{format} is not written to a terminal or pipe: name a {_place(format)} with -o",
            param_hint="--output",
        )
    with session.client() as client:
        found = session.job(client, job)
        if format is Format.JSON:
            _write_json(session.output, found, output)
        else:
            _writer(format, what)(found, output or _Screen(session.output))
    if output is not None:
        session.output.note(f"Written to {output}")


def _place(format: Format) -> str:  # noqa: A002
    return "folder" if format is Format.YOLO else "file"


class _Screen(io.TextIOBase):
    """Standard output, on which a terminal obeys nothing that was read in a video."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def write(self, text: str, /) -> int:
        self._output.write(text)
        return len(text)


def _write_json(output: Output, job: Job, target: Path | None) -> None:
    if target is not None:
        job.download(target)
        return
    with tempfile.TemporaryDirectory(prefix="video-jobs-") as folder:
        path = job.download(Path(folder) / "results.json")
        if output.has_tables:
            with path.open(encoding="utf-8", errors="replace") as text:
                while part := text.read(_PART):
                    output.write(part)
            return
        with path.open("rb") as file:
            while chunk := file.read(_PART):
                sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()


def _writer(format: Format, what: What | None) -> Callable[[Job, Any], None]:  # noqa: A002
    """What writes a job in this format."""
    from video_jobs_client import exports

    are_words = what is What.TEXTS
    of_frames: dict[Format, Callable[[Any, Any], None]] = {
        Format.JSONL: exports.write_jsonl,
        Format.CSV: exports.write_words_csv if are_words else exports.write_detections_csv,
        Format.PARQUET: exports.write_words_parquet if are_words else exports.write_detections_parquet,
        Format.COCO: exports.write_coco,
        Format.MOT: exports.write_mot_results,
        Format.CVAT: exports.write_cvat,
        Format.YOLO: exports.write_yolo,
    }
    if format in of_frames:
        return lambda job, target: of_frames[format](job.results(), target)
    subtitles = exports.write_webvtt if format is Format.VTT else exports.write_srt
    content = "objects" if what is What.OBJECTS else "texts"
    return lambda job, target: subtitles(job.summary(), target, content)  # type: ignore[arg-type]
