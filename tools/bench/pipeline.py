"""Our pipeline against the loops that a user writes, on the same frames, in interleaved runs."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from video_jobs.settings import WorkerSettings
from video_worker.pipeline_service import VideoFilePipelineService
from video_worker.plugins.ocr.regions import iou
from video_worker.plugins.yolo.detector import Detection
from video_worker.plugins.yolo.openvino_detector import OpenVinoDetector
from video_worker.plugins.yolo.ultralytics_detector import UltralyticsDetector

from tools.bench.clips import BenchClip
from tools.bench.loops import HandLoop, frames_of

Row = dict[str, Any]
_SAME_BOX_IOU = 0.5


@dataclass(frozen=True, slots=True)
class Contestants:
    """The three ways to analyse a video."""

    naive: HandLoop
    tuned: HandLoop
    ours: VideoFilePipelineService


def settings_for(model: Path, **further: str) -> WorkerSettings:
    """The worker's settings with one model."""
    return WorkerSettings.from_environment({"MODEL_PATH": str(model), **further})


def speed_and_words(clip: BenchClip, contestants: Contestants, frames: int, runs: int) -> Row:
    """Median milliseconds a frame of each, their ratios, and how well each read."""

    def ours() -> list[list[str]]:
        run = contestants.ours.run_on_file(clip.path, "yolo_ocr", max_frames=frames)
        return [[block["text"] for block in frame["result"]["blocks"]] for frame in run]

    ways: dict[str, Callable[[], list[list[str]]]] = {
        "naive": lambda: contestants.naive.run(clip.path, frames),
        "tuned": lambda: contestants.tuned.run(clip.path, frames),
        "ours": ours,
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    read: dict[str, list[list[str]]] = {}
    ours()  # every way has its models loaded; this one has not touched them yet
    for _ in range(runs):
        for name, way in ways.items():
            started = time.perf_counter()
            read[name] = way()
            times[name].append((time.perf_counter() - started) / len(read[name]) * 1000)
    row: Row = {"clip": clip.name, "frames": len(read["ours"])}
    row |= {f"{name}_ms": statistics.median(taken) for name, taken in times.items()}
    row |= {f"times_{name}": row[f"{name}_ms"] / row["ours_ms"] for name in ("naive", "tuned")}
    for name, words in read.items():
        row |= {f"{name}_{measure}": value for measure, value in word_quality(words, clip).items()}
    return row


def word_quality(read: list[list[str]], clip: BenchClip) -> dict[str, float | None]:
    """Recall and precision of the words over all frames; None where there are none."""
    hits = there = said = 0
    for words, truth in zip(read, clip.truth, strict=False):
        hits += (Counter(words) & Counter(truth)).total()
        there += len(truth)
        said += len(words)
    return {"recall": hits / there if there else None, "precision": hits / said if said else None}


def limits(clip: BenchClip, model: Path, ours: VideoFilePipelineService, frames: int, runs: int) -> Row:
    """Decoding alone, detecting alone at full throughput, and our whole pipeline, milliseconds a frame."""
    settings = settings_for(model)
    detector = OpenVinoDetector(model, settings)
    images = list(islice(frames_of(clip.path), frames))

    def detect() -> None:
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(detector.detect, images))

    ways: dict[str, Callable[[], Any]] = {
        "decode": lambda: [None for _ in islice(frames_of(clip.path), frames)],
        "detect": detect,
        "ours": lambda: list(ours.run_on_file(clip.path, "yolo_ocr", max_frames=frames)),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(runs):
        for name, way in ways.items():
            started = time.perf_counter()
            way()
            times[name].append((time.perf_counter() - started) / len(images) * 1000)
    medians = {f"{name}_ms": statistics.median(taken) for name, taken in times.items()}
    slower = max(medians["decode_ms"], medians["detect_ms"])
    return {"clip": clip.name, **medians, "times_the_slower": medians["ours_ms"] / slower}


def agreement(path: Path, model: Path, frames: int | None = None) -> Row:
    """Boxes of plain ``predict`` that ours has too (same class, IoU 0.5), and the other way round."""
    with _predict_in_f32():
        plain = UltralyticsDetector(model, settings_for(model, DETECTOR_BACKEND="ultralytics"))
        next_frame = next(frames_of(path))
        plain.detect(next_frame)
    own = OpenVinoDetector(model, settings_for(model))
    boxes = matched = 0
    for image in islice(frames_of(path), frames):
        one, other = own.detect(image), plain.detect(image)
        boxes += len(one) + len(other)
        matched += 2 * _matches(one, other)
    return {"clip": path.name, "model": model.name, "boxes": boxes // 2, "share": matched / boxes}


def _matches(one: list[Detection], other: list[Detection]) -> int:
    free, count = list(other), 0
    for box in one:
        same = (
            candidate
            for candidate in free
            if candidate.class_id == box.class_id
            and iou(list(candidate.xyxy), list(box.xyxy)) >= _SAME_BOX_IOU
        )
        found = next(same, None)
        if found is not None:
            free.remove(found)
            count += 1
    return count


@contextmanager
def _predict_in_f32() -> Iterator[None]:
    """Have Ultralytics compile in the precision that ours is pinned to; by itself it follows the host."""
    import openvino

    compile_model = openvino.Core.compile_model

    def in_f32(core: Any, model: Any, device_name: Any = None, config: Any = None, **further: Any) -> Any:
        pinned = {**(config or {}), "INFERENCE_PRECISION_HINT": "f32"}
        return compile_model(core, model, device_name, pinned, **further)

    openvino.Core.compile_model = in_f32
    try:
        yield
    finally:
        openvino.Core.compile_model = compile_model
