"""Measure the street model: boxes on held-out scenes, words on a clip.

``python -m gpu_worker_image.models.street_demo_training.measure MODEL [--images 500]`` prints one line of
JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from video_jobs.settings import WorkerSettings
from video_worker.pipeline_service import VideoFilePipelineService
from video_worker.plugins.ocr.rectangles import iou
from video_worker.plugins.yolo.detector import Detection
from video_worker.plugins.yolo.plugin import create_detector

from gpu_worker_image.models.street_demo_training.clips import street_clip, write_clip
from gpu_worker_image.models.street_demo_training.scenes import Truth, random_scene, render
from gpu_worker_image.models.street_demo_training.shapes import CLASSES
from gpu_worker_image.models.street_demo_training.train import SPLITS

Quality = dict[str, float | None]
IOU_LEVELS = np.linspace(0.5, 0.95, 10)
_STRIDE = 2


def measure_boxes(model: Path, images: int) -> dict[str, float]:
    """Mean average precision on the first ``images`` held-out scenes: at IoU 0.5, and as COCO averages it."""
    from ultralytics.utils.metrics import ap_per_class

    detector = create_detector(
        WorkerSettings.from_environment({"MODEL_PATH": str(model), "CONFIDENCE_THRESHOLD": "0.001"})
    )
    first, _ = SPLITS["test"]
    hits, confidences, predicted, wanted = [], [], [], []
    for seed in range(first, first + images):
        picture, truths = render(random_scene(seed))
        found = detector.detect(picture)
        hits.append(match(found, truths))
        confidences += [one.confidence for one in found]
        predicted += [CLASSES.index(one.class_name) for one in found]
        wanted += [CLASSES.index(truth.class_name) for truth in truths]
    scores = ap_per_class(np.concatenate(hits), np.array(confidences), np.array(predicted), np.array(wanted))
    average: NDArray[np.float64] = scores[5]
    return {"map50": float(average[:, 0].mean()), "map50_95": float(average.mean())}


def match(found: Sequence[Detection], truths: Sequence[Truth]) -> NDArray[np.bool_]:
    """For each detection and IoU level, whether it is the best one of a truth of its class."""
    hits = np.zeros((len(found), len(IOU_LEVELS)), bool)
    overlaps = np.array([[_overlap(one, truth) for truth in truths] for one in found])
    for level, least in enumerate(IOU_LEVELS):
        free = set(range(len(truths)))
        for number in range(len(found)):  # strongest first
            best = max(free, key=lambda truth: overlaps[number, truth], default=None)
            if best is not None and overlaps[number, best] >= least:
                free.discard(best)
                hits[number, level] = True
    return hits


def _overlap(one: Detection, truth: Truth) -> float:
    return iou(list(one.xyxy), list(truth.xyxy)) if one.class_name == truth.class_name else 0.0


def measure_words(model: Path, pipeline_id: str, size: tuple[int, int] = (960, 540)) -> Quality:
    """Read the words of a generated clip of ``size`` (width, height) from the encoded file."""
    settings = WorkerSettings.from_environment({"MODEL_PATH": str(model)})
    service = VideoFilePipelineService.from_settings(settings)
    clip = street_clip(size)
    with TemporaryDirectory() as folder:
        path = write_clip(clip, Path(folder) / "clip.mp4")
        frames = list(service.run_on_file(path, pipeline_id, frame_stride=_STRIDE))
    read = [[block["text"] for block in frame["result"]["blocks"]] for frame in frames]
    return word_quality(read, [clip.texts_of(frame["frame_index"]) for frame in frames])


def word_quality(read: Iterable[Sequence[str]], truth: Iterable[Sequence[str]]) -> Quality:
    """The words of each frame against those that stand there.

    ``recall`` is the share of the words that was read, ``precision`` the share of what was read that stands
    there; each is None if there is nothing to divide by.
    """
    hits = there = said = 0
    for words, wanted in zip(read, truth, strict=False):
        hits += (Counter(words) & Counter(wanted)).total()
        there += len(wanted)
        said += len(words)
    return {"recall": hits / there if there else None, "precision": hits / said if said else None}


def main() -> int:
    """Print the measures of one model."""
    parser = argparse.ArgumentParser(prog="measure", description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--images", type=int, default=SPLITS["test"][1])
    arguments = parser.parse_args()
    model, images = arguments.model, arguments.images
    words = {name: measure_words(model, name) for name in ("yolo_ocr", "yolo_ocr_regions")}
    boxes = {"images": images, **measure_boxes(model, images)}
    print(json.dumps({"model": model.name, "boxes": boxes, **words}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
