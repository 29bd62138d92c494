"""Measure the street model: boxes on held-out scenes, words on a clip.

``python -m tools.demo_model.measure MODEL [--images 500]`` prints one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from video_jobs.settings import WorkerSettings
from video_worker.pipeline_service import VideoFilePipelineService
from video_worker.plugins.yolo.detector import Detection, Detector
from video_worker.plugins.yolo.plugin import create_detector

from tools.demo_model.clips import Clip, street_clip
from tools.demo_model.dataset import SPLITS
from tools.demo_model.scenes import Truth, random_scene, render
from tools.demo_model.shapes import CLASSES
from tools.demo_model.video_file import write_clip

IOU_LEVELS = np.linspace(0.5, 0.95, 10)
LOWEST_CONFIDENCE = "0.001"


@dataclass(frozen=True, slots=True)
class BoxQuality:
    """Mean average precision over classes, at IoU 0.5 and averaged over 0.5-0.95 (as COCO does)."""

    images: int
    map50: float
    map50_95: float


@dataclass(frozen=True, slots=True)
class WordQuality:
    """Share of the words on the frames that were read, and share of what was read that stands there."""

    frames: int
    recall: float
    precision: float


def measure_boxes(model: Path, images: int) -> BoxQuality:
    """Detect on the first ``images`` held-out scenes."""
    settings = WorkerSettings.from_environment(
        {"MODEL_PATH": str(model), "CONFIDENCE_THRESHOLD": LOWEST_CONFIDENCE}
    )
    first, _ = SPLITS["test"]
    return box_quality(create_detector(settings), range(first, first + images))


def box_quality(detector: Detector, seeds: Iterable[int]) -> BoxQuality:
    """Compare what a detector finds on generated scenes with what is there."""
    from ultralytics.utils.metrics import ap_per_class

    hits, confidences, predicted, wanted = [], [], [], []
    images = 0
    for seed in seeds:
        picture, truths = render(random_scene(seed))
        found = detector.detect(picture)
        hits.append(match(found, truths))
        confidences += [one.confidence for one in found]
        predicted += [CLASSES.index(one.class_name) for one in found]
        wanted += [CLASSES.index(truth.class_name) for truth in truths]
        images += 1
    scores = ap_per_class(np.concatenate(hits), np.array(confidences), np.array(predicted), np.array(wanted))
    average: NDArray[np.float64] = scores[5]
    return BoxQuality(images, float(average[:, 0].mean()), float(average.mean()))


def match(found: list[Detection], truths: list[Truth]) -> NDArray[np.bool_]:
    """For each detection and IoU level, whether it is the best one of a truth of its class."""
    hits = np.zeros((len(found), len(IOU_LEVELS)), bool)
    overlaps = np.array([[_iou(one, truth) for truth in truths] for one in found])
    for level, least in enumerate(IOU_LEVELS):
        free = set(range(len(truths)))
        for number in range(len(found)):  # strongest first
            best = max(free, key=lambda truth: overlaps[number, truth], default=None)
            if best is not None and overlaps[number, best] >= least:
                free.discard(best)
                hits[number, level] = True
    return hits


def measure_words(model: Path, pipeline_id: str, size: tuple[int, int] = (960, 540)) -> WordQuality:
    """Read the words of a generated clip of ``size`` (width, height) from the encoded file."""
    settings = WorkerSettings.from_environment({"MODEL_PATH": str(model)})
    service = VideoFilePipelineService.from_settings(settings)
    clip = street_clip(size)
    with TemporaryDirectory() as folder:
        path = write_clip(clip, Path(folder) / "clip.mp4")
        return word_quality(clip, list(service.run_on_file(path, pipeline_id, frame_stride=2)))


def word_quality(clip: Clip, frames: list[dict[str, Any]]) -> WordQuality:
    """Compare the words of a pipeline's frames with those on the clip."""
    hits = there = read = 0
    for frame in frames:
        words = Counter(block["text"] for block in frame["result"].get("blocks", []))
        truth = Counter(one.text for one in clip.render(frame["frame_index"])[1] if one.text)
        hits += (words & truth).total()
        there += truth.total()
        read += words.total()
    return WordQuality(len(frames), hits / there, hits / read if read else 0.0)


def _iou(one: Detection, truth: Truth) -> float:
    if one.class_name != truth.class_name:
        return 0.0
    a, b = one.xyxy, truth.xyxy
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def main() -> int:
    """Print the measures of one model."""
    parser = argparse.ArgumentParser(prog="measure", description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--images", type=int, default=SPLITS["test"][1])
    arguments = parser.parse_args()
    measures = {
        "model": arguments.model.name,
        "boxes": asdict(measure_boxes(arguments.model, arguments.images)),
    }
    for pipeline_id in ("yolo_ocr", "yolo_ocr_regions"):
        measures[pipeline_id] = asdict(measure_words(arguments.model, pipeline_id))
    print(json.dumps(measures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
