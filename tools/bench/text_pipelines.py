"""Reading text: the whole frame against the regions of chosen classes, on the same generated clip.

Runs are interleaved and medians taken, so that a busy machine disturbs both alike.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from video_jobs.settings import WorkerSettings
from video_worker.pipeline_service import VideoFilePipelineService

from gpu_worker_image.models.street_demo_training import SHIPPED
from gpu_worker_image.models.street_demo_training.clips import Clip, street_clip, write_clip
from gpu_worker_image.models.street_demo_training.measure import word_quality

PIPELINES = ("yolo_only", "yolo_ocr", "yolo_ocr_regions")
_ROW = "{size:>10}  {pipeline:<18} {ms:7.1f} ms/frame  recall {recall:.2f}  precision {precision:.2f}"
REPORT = Path("out") / "bench-text.json"


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="text_pipelines", description=__doc__)
    parser.add_argument("--model", default=str(SHIPPED))
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    settings = WorkerSettings.from_environment({"MODEL_PATH": arguments.model})
    service = VideoFilePipelineService.from_settings(settings)
    service.warm_up()
    rows = []
    for width in (640, 960, 1280):
        rows += measure(service, street_clip((width, width * 9 // 16)), arguments.runs)
    for row in rows:
        print(_ROW.format(**row))
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    print(f"Report: {REPORT}")
    return 0


def measure(service: VideoFilePipelineService, clip: Clip, runs: int) -> list[dict[str, Any]]:
    """A row for each pipeline."""
    times: dict[str, list[float]] = {pipeline: [] for pipeline in PIPELINES}
    frames: dict[str, list[dict[str, Any]]] = {}
    with TemporaryDirectory() as folder:
        path = write_clip(clip, Path(folder) / "clip.mp4")
        for _ in range(runs):
            for pipeline in PIPELINES:
                started = time.perf_counter()
                frames[pipeline] = list(service.run_on_file(path, pipeline, frame_stride=4))
                times[pipeline].append((time.perf_counter() - started) / len(frames[pipeline]))
    size = f"{clip.scene.size[0]}x{clip.scene.size[1]}"
    return [
        {"size": size, "pipeline": name, "ms": statistics.median(times[name]) * 1000}
        | word_quality(*_words(clip, frames[name]))
        for name in PIPELINES
    ]


def _words(clip: Clip, frames: list[dict[str, Any]]) -> tuple[list[list[str]], list[list[str]]]:
    read = [[block["text"] for block in frame["result"].get("blocks", [])] for frame in frames]
    return read, [clip.texts_of(frame["frame_index"]) for frame in frames]


if __name__ == "__main__":
    sys.exit(main())
