"""The main job, end to end: start the local stack, submit a video over HTTP, show what was found."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections import Counter
from itertools import groupby
from pathlib import Path
from typing import Any

from video_jobs_client import Summary
from video_jobs_client.annotate import AnnotationError
from video_jobs_client.intervals import clock
from video_jobs_client.seen import seen
from video_jobs_client.summary import video_summary

from tools.annotate import write_annotated_frame, write_annotated_video
from tools.client import Client, RefusedError
from tools.local_stack.model_choice import NoModelError, choose_model
from tools.local_stack.stack import LocalStack
from tools.local_stack.workers import WorkerStartError

FIXTURE = Path(__file__).parents[1] / "tests" / "fixtures" / "tiny.mp4"
OUT = Path("out")
_POLL_S = 0.25
_BAR = 30
_FRAMES_SHOWN = 50
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
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a shell may have started this with Ctrl-C ignored
    try:
        run_demo(arguments.video, arguments.pipeline, arguments.model, arguments.text_engine)
    except (DemoError, RefusedError, NoModelError, WorkerStartError) as error:
        print(f"\nIt did not work: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped; nothing is left running.", file=sys.stderr)
        return 130
    return 0


def run_demo(video: Path, pipeline_id: str, model_name: str, text_engine: str | None = None) -> None:
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
        client = Client(stack.url)
        options = {"filename": video.name, "pipeline_id": pipeline_id, "text_engine": text_engine}
        job_id = client.submit(video.read_bytes(), **options)
        print(f"Submitted {video.name} as job {job_id}")
        job = _watch(client, job_id)
        if job["status"] == "failed":
            raise DemoError(job["error"]["message"])
        frames = list(client.results(job_id, include="tracks"))
        told = client.summary(job_id)
    path, seen_path = (OUT / f"{video.stem}_{name}.json" for name in ("results", "summary"))
    path.write_text(json.dumps({"results": frames}, ensure_ascii=False, indent=1), encoding="utf-8")
    seen_path.write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")
    print("\n".join(frame_lines(frames)))
    print(summary(frames, job["warnings"]))
    print("\n".join(seen_lines(Summary(video_summary(told)))))
    print(f"Results: {path}\nSummary: {seen_path}")
    _show_on_pictures(video, job, frames)


def _show_on_pictures(video: Path, job: dict[str, Any], frames: list[dict[str, Any]]) -> None:
    """Write the annotated frame and the annotated video, and print where they are."""
    picture = write_annotated_frame(video, frames, OUT / f"{video.stem}_annotated.png")
    if picture is not None:
        print(f"Annotated frame: {picture}")
    target = OUT / f"{video.stem}_annotated.mp4"
    try:
        write_annotated_video(video, job, frames, target)
    except AnnotationError as error:
        print(f"There is no annotated video: {error}")
    else:
        print(f"Annotated video: {target}")


def frame_lines(frames: list[dict[str, Any]]) -> list[str]:
    """The first frames, one a line: index, time, objects and text."""
    lines = [_frame_line(frame) for frame in frames[:_FRAMES_SHOWN]]
    left = len(frames) - len(lines)
    return [*lines, f"... and {left} more"] if left else lines


def _frame_line(frame: dict[str, Any]) -> str:
    result = frame["result"]
    objects = ", ".join(f"{count} {name}" for name, count in result.get("classes", {}).items())
    text = " / ".join(result.get("text", "").split())
    found = "; ".join(filter(None, [objects, text])) or "nothing"
    return f"frame_index {frame['frame_index']:>5}  timestamp_ms {frame['timestamp_ms']!s:>9}  {found}"


def summary(frames: list[dict[str, Any]], warnings: list[str]) -> str:
    """What was found, for people."""
    lines = [f"Frames analysed: {len(frames)}"]
    lines += [f"Warning: {warning}" for warning in warnings]
    objects: Counter[str] = Counter()
    for frame in frames:
        objects.update(frame["result"].get("classes", {}))
    lines.append("Objects (boxes over all frames):" + ("" if objects else " none"))
    lines += [f"  {name:<16}{count}" for name, count in objects.most_common()]
    texts = texts_seen(frames)
    lines.append("Texts:" + ("" if texts else " none"))
    lines += [f"  {text:<24}frames {', '.join(runs)}" for text, runs in texts.items()]
    return "\n".join(lines)


def seen_lines(summary: Summary) -> list[str]:
    """The objects and texts of the summary that were longest in view, with their times."""
    rows = seen(summary, most=_SEEN_SHOWN)
    lines = [f"  {clock(row.start_ms)} - {clock(row.end_ms)}  {row.name}" for row in rows]
    return ["In view:" + ("" if lines else " nothing"), *lines]


def texts_seen(frames: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Each line of text with the runs of frames in which it stood."""
    where: dict[str, list[int]] = {}
    for position, frame in enumerate(frames):
        for line in filter(None, frame["result"].get("text", "").split("\n")):
            where.setdefault(line, []).append(position)
    return {text: _runs(positions, frames) for text, positions in where.items()}


def _runs(positions: list[int], frames: list[dict[str, Any]]) -> list[str]:
    runs = []
    for _, group in groupby(enumerate(sorted(set(positions))), key=lambda pair: pair[1] - pair[0]):
        run = [frames[position]["frame_index"] for _, position in group]
        runs.append(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}")
    return runs


def _watch(client: Client, job_id: str) -> dict[str, Any]:
    shown = ""
    while True:
        job = client.job(job_id)
        done = (job["percent"] or 0) if job["status"] != "failed" else 0
        bar = "#" * (done * _BAR // 100)
        total = job["frames_total"] or "?"
        line = f"[{bar:<{_BAR}}] {done:3d} %  {job['status']:<10} {job['frames_done']}/{total} frames "
        if sys.stdout.isatty():
            print("\r" + line, end="", flush=True)
        elif line != shown:
            print(line, flush=True)
        shown = line
        if job["status"] in ("completed", "failed"):
            print()
            return job
        time.sleep(_POLL_S)


if __name__ == "__main__":
    sys.exit(main())
