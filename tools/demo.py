"""The main job, end to end: start the local stack, submit a video over HTTP, show what was found."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from pathlib import Path
from typing import Any

from msgspec import to_builtins
from video_jobs_client import Client, JobFailedError, Summary, VideoJobsClientError
from video_jobs_client.annotate import AnnotationError
from video_jobs_client.cli.output import Output
from video_jobs_client.cli.summary import show_summary
from video_jobs_client.client import Job
from video_jobs_client.options import Options

from tools.annotate import write_annotated_frame, write_annotated_video
from tools.local_stack.first_commands import TINY, first_commands
from tools.local_stack.model_choice import NoModelError, choose_model
from tools.local_stack.stack import LocalStack
from tools.local_stack.workers import WorkerStartError

FIXTURE = Path(__file__).parents[1] / TINY
OUT = Path("out")
_LOCAL_URL = "http://127.0.0.1:8000"
_POLL_S = 0.25
_BAR = 30
_SEEN_SHOWN = 20


class DemoError(Exception):
    """What the user should read."""


def main() -> int:
    """Run the demo; the exit code says whether the job completed."""
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    parser.add_argument("--video", type=Path, default=FIXTURE)
    parser.add_argument("--pipeline", default="yolo_ocr")
    parser.add_argument("--model", default="auto")
    parser.add_argument("--text-engine", help="what reads the text; without it, the worker's setting decides")
    arguments = parser.parse_args()
    # a shell may have started this with Ctrl-C ignored
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, signal.default_int_handler)
    options: Options = {"pipeline_id": arguments.pipeline}
    if arguments.text_engine:
        options["text_engine"] = arguments.text_engine
    try:
        run_demo(arguments.video, arguments.model, options)
    except (DemoError, VideoJobsClientError, NoModelError, WorkerStartError) as error:
        print(f"\nIt did not work: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped; nothing is left running.", file=sys.stderr)
        return 130
    return 0


def run_demo(video: Path, model_name: str, options: Options) -> None:
    """One video through the whole service."""
    if not video.is_file():
        raise DemoError(f"There is no file {video}")
    if video.stat().st_size == 0:
        raise DemoError(f"{video} is empty")
    model, line = choose_model(model_name)
    print(line)
    print("Starting the local stack ...", flush=True)
    settings = {"MODEL_PATH": str(model)}
    with LocalStack(log_file=OUT / "local-stack.log", worker_settings=settings) as stack:
        stack.wait_until_ready()
        with Client(stack.url) as client:
            options["filename"] = video.name
            job = client.analyse(video, **options)
            print(f"Submitted {video.name} as job {job.id}")
            _watch(job)
            frames, summary = _frames(job), job.summary()
    _write(video, frames, summary)
    print(f"Frames analysed: {len(frames)}")
    print("".join(f"Warning: {warning}\n" for warning in job.resource.warnings), end="")
    show_summary(Output(), summary, _SEEN_SHOWN)
    _show_on_pictures(video, job, frames)
    shown = first_commands(_LOCAL_URL, TINY if video == FIXTURE else video)
    print(f"To look further: make local, then {_LOCAL_URL}/ in a browser, or in another terminal\n{shown}")


def _frames(job: Job) -> list[dict[str, Any]]:
    """Every frame as JSON, with its ``timestamp_ms`` and ``track_ids``."""
    return [
        {
            "timestamp_ms": frame.timestamp_ms,
            "frame_index": frame.index,
            "result": frame.result,
            "track_ids": frame.track_ids,
        }
        for frame in job.frames()
    ]


def _write(video: Path, frames: list[dict[str, Any]], summary: Summary) -> None:
    path, seen_path = (OUT / f"{video.stem}_{name}.json" for name in ("results", "summary"))
    path.write_text(json.dumps({"results": frames}, ensure_ascii=False, indent=1), encoding="utf-8")
    seen = to_builtins(summary.told)
    seen_path.write_text(json.dumps(seen, ensure_ascii=False, indent=1), encoding="utf-8")
    print(f"Results: {path}\nSummary: {seen_path}")


def _show_on_pictures(video: Path, job: Job, frames: list[dict[str, Any]]) -> None:
    """Write the annotated frame and the annotated video, and print where they are."""
    picture = write_annotated_frame(video, frames, OUT / f"{video.stem}_annotated.png")
    if picture is not None:
        print(f"Annotated frame: {picture}")
    target = OUT / f"{video.stem}_annotated.mp4"
    try:
        write_annotated_video(video, job.resource, frames, target)
    except AnnotationError as error:
        print(f"There is no annotated video: {error}")
    else:
        print(f"Annotated video: {target}")


def _watch(job: Job) -> None:
    shown = [""]

    def tell(now: Job) -> None:
        told = now.resource
        done = (told.percent or 0) if now.status != "failed" else 0
        bar = "#" * (done * _BAR // 100)
        total = told.frames_total or "?"
        line = f"[{bar:<{_BAR}}] {done:3d} %  {now.status:<10} {told.frames_done}/{total} frames "
        if sys.stdout.isatty():
            print("\r" + line, end="", flush=True)
        elif line != shown[0]:
            print(line, flush=True)
        shown[0] = line

    try:
        job.wait(on_progress=tell, poll_s=_POLL_S)
    except JobFailedError as error:
        raise DemoError(str(error)) from None
    finally:
        print()


if __name__ == "__main__":
    sys.exit(main())
