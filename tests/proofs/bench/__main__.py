"""``python -m tests.proofs.bench``: every measure in one run; prints rows, writes out/bench.json."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from gpu_worker_image.models.street_demo_training import SHIPPED
from gpu_worker_image.models.street_demo_training.clips import street_clip, write_clip
from tests.proofs.bench import measures
from tests.proofs.bench.clips import MEDIA, make_clips
from tests.proofs.bench.scenes.scenes import PLAIN_SCENES, SCENES, SceneClip, write_scene
from tests.proofs.bench.seeking import seeking
from tests.proofs.bench.ways import ENGINES, TUNED, HandLoop, default_precision, our_pipeline, random_weights
from tests.proofs.bench.words import made_up_words, scene_words, text_ways
from tests.proofs.report import OUT, Row, machine, print_row, save
from tests.support.model import REAL_MODEL


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--frames", type=int, default=40, help="frames of each clip")
    parser.add_argument("--scene-frames", type=int, help="the first frames of each scene; by default all")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--minutes", type=int, nargs="*", default=[1, 20])
    parser.add_argument("--jobs", type=int, default=50)
    arguments = parser.parse_args()
    if not REAL_MODEL.is_dir():
        print(f"The benchmark needs real footage and a real model in {MEDIA.parent}", file=sys.stderr)
        return 1
    report: dict[str, Any] = {}
    with TemporaryDirectory(prefix="bench-") as folder:
        for name, rows in _sections(Path(folder), arguments):
            print(f"\n{name}")
            report[name] = [print_row(row) for row in rows]
    (report["machine"],) = report["machine"]
    print(f"Report: {save(report, 'bench')}")
    return 0


def _sections(folder: Path, arguments: argparse.Namespace) -> Iterator[tuple[str, Iterable[Row]]]:
    frames, runs = arguments.frames, arguments.runs
    clips = make_clips(folder, frames)
    streets = {
        folder / f"street_{width}.mp4": street_clip((width, width * 9 // 16)) for width in (640, 960, 1280)
    }
    own_model = folder / "street_demo_openvino_model"  # Ultralytics knows the format by this ending
    shutil.copytree(SHIPPED, own_model)
    loops = {
        "naive": HandLoop(random_weights(folder), {}),
        "tuned": HandLoop(REAL_MODEL, TUNED),
    }
    yield "machine", [machine() | _precisions()]
    with measures.analysing_processes(REAL_MODEL) as ours:
        yield "speed and words", (measures.speed_and_words(clip, loops, ours, runs) for clip in clips)
    yield "start", [measures.starts(REAL_MODEL, runs)]
    scenes = [write_scene(scene, folder, arguments.scene_frames) for scene in SCENES]
    plain = [write_scene(scene, folder, arguments.scene_frames) for scene in PLAIN_SCENES]
    yield from _words(scenes, plain)
    default = our_pipeline(REAL_MODEL, **ENGINES["tesserocr"])
    yield "limits", [measures.limits(clips[0], REAL_MODEL, default, 5 * frames, runs)]
    compared = [(MEDIA / "one-by-one-person-detection.mp4", REAL_MODEL)]
    compared += [(write_clip(clip, path), own_model) for path, clip in streets.items()]
    yield "agreement", (measures.agreement(path, model) for path, model in compared)
    on_streets = {name: our_pipeline(SHIPPED, **further) for name, further in ENGINES.items()}
    text = (measures.text_pipelines(on_streets, clip, path, runs) for path, clip in streets.items())
    yield "text pipelines", (row for rows in text for row in rows)
    long = [measures.Repeated.cars(minutes) for minutes in arguments.minutes]
    long += [
        measures.Repeated(f"street with text, {times} times", scenes[0].path, times) for times in (5, 25)
    ]
    yield "length", (measures.endurance(REAL_MODEL, "ppocr", clip, folder) for clip in long)
    yield "seeking", [seeking(folder, max(arguments.minutes, default=20), runs)]
    yield "service", [measures.service_speed(SHIPPED, arguments.jobs, OUT / "bench-stack.log")]


def _words(scenes: list[SceneClip], plain: list[SceneClip]) -> Iterator[tuple[str, Iterable[Row]]]:
    ways = text_ways(REAL_MODEL)
    yield "scenes", scene_words(ways, scenes)
    yield "made up", made_up_words(ways, plain)


def _precisions() -> Row:
    return {
        "naive_precision": "f32 (PyTorch)",
        "tuned_precision": f"{default_precision(REAL_MODEL)} (what OpenVINO takes by itself here)",
        "our_precision": "f32 (pinned)",
    }


if __name__ == "__main__":
    sys.exit(main())
