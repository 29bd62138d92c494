"""``python -m tools.bench``: every measure in one run; prints tables, writes out/bench.json."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from video_worker.pipeline_service import VideoFilePipelineService

from gpu_worker_image.models.street_demo_training import SHIPPED
from gpu_worker_image.models.street_demo_training.clips import street_clip, write_clip
from tools.bench import pipeline
from tools.bench.clips import MEDIA, make_clips
from tools.bench.endurance import endurance
from tools.bench.loops import HandLoop, default_precision, random_weights
from tools.bench.service import service_speed

MODEL = MEDIA.parent / "models" / "yolo11n_int8_openvino_model"
REPORT = Path("out") / "bench.json"


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--frames", type=int, default=40, help="frames of each clip")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--minutes", type=int, nargs="*", default=[1, 20])
    parser.add_argument("--jobs", type=int, default=50)
    arguments = parser.parse_args()
    if not MODEL.is_dir():
        print(f"The benchmark needs real footage and a real model in {MEDIA.parent}", file=sys.stderr)
        return 1
    with TemporaryDirectory(prefix="bench-") as folder:
        report = measure(Path(folder), arguments)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=1), encoding="utf-8")
    print(f"Report: {REPORT}")
    return 0


def measure(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """All sections, each printed as soon as it is there."""
    service = VideoFilePipelineService.from_settings(pipeline.settings_for(MODEL))
    contestants = pipeline.Contestants(
        naive=HandLoop(random_weights(folder), None), tuned=HandLoop(MODEL, 1), ours=service
    )
    clips = make_clips(folder, arguments.frames)
    frames, runs = arguments.frames, arguments.runs
    streets = [
        write_clip(street_clip((width, width * 9 // 16)), folder / f"street_{width}.mp4")
        for width in (640, 960, 1280)
    ]
    own_model = folder / "street_demo_openvino_model"  # Ultralytics knows the format by this ending
    shutil.copytree(SHIPPED, own_model)
    sections: dict[str, Any] = {"machine": machine()}
    print_rows("machine", [sections["machine"]])
    for name, rows in (
        (
            "speed and words",
            (pipeline.speed_and_words(clip, contestants, len(clip.truth), runs) for clip in clips),
        ),
        ("limits", (pipeline.limits(clip, MODEL, service, 5 * frames, runs) for clip in clips[:1])),
        (
            "agreement",
            (
                pipeline.agreement(path, model)
                for path, model in (
                    (MEDIA / "one-by-one-person-detection.mp4", MODEL),
                    *((street, own_model) for street in streets),
                )
            ),
        ),
        ("length", endurance(MODEL, folder, tuple(arguments.minutes))),
        ("service", [service_speed(SHIPPED, arguments.jobs, Path("out") / "bench-stack.log")]),
    ):
        sections[name] = list(rows)
        print_rows(name, sections[name])
    return sections


def machine() -> dict[str, Any]:
    """What this was measured on."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "naive_precision": "f32 (PyTorch)",
        "tuned_precision": f"{default_precision(MODEL)} (what OpenVINO takes by itself here)",
        "our_precision": "f32 (pinned)",
    }


def print_rows(title: str, rows: list[dict[str, Any]]) -> None:
    """A row a line, its values named."""
    print(f"\n{title}")
    for row in rows:
        parts = [
            f"{key} {value:.3g}" if isinstance(value, float) else f"{key} {value}"
            for key, value in row.items()
        ]
        print("  " + "  ".join(parts), flush=True)


if __name__ == "__main__":
    sys.exit(main())
