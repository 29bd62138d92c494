"""What is measured; where ways are compared, their runs are interleaved, and medians are taken."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import psutil
from aws_lambda_powertools import Logger
from video_jobs_client import Client
from video_worker.analysis import AnalysedFrame, PartEnd, RunRequest
from video_worker.isolation.limits import JobLimits
from video_worker.isolation.service import IsolatedAnalysisService
from video_worker.pipeline_service import VideoFilePipelineService
from video_worker.plugins.ocr.rectangles import iou
from video_worker.plugins.yolo.detector import Detection
from video_worker.plugins.yolo.openvino_detector import OpenVinoDetector
from video_worker.plugins.yolo.ultralytics_detector import UltralyticsDetector
from video_worker.results_serializer import part_line

from gpu_worker_image.models.street_demo_training.clips import Clip
from gpu_worker_image.models.street_demo_training.measure import word_quality
from tests.fixtures.ffmpeg import run_ffmpeg
from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.proofs.bench.clips import CARS, BenchClip, frames_of
from tests.proofs.bench.ways import ENGINES, HandLoop, predict_in_f32, settings_for
from tests.proofs.report import Row
from tools.local_stack.stack import LocalStack

TEXT_PIPELINES = ("yolo_only", "yolo_ocr", "yolo_ocr_regions")
_SAME_BOX_IOU = 0.5
_LIMITS = JobLimits(memory_mib=8192, cpu_s=10**6, frame_s=600)
_POLL_S = 0.01
_TINY_JOB: dict[str, Any] = {"pipeline_id": "yolo_only", "max_frames": 3}
Way = Callable[[], list[Any]]


def interleaved(ways: Mapping[str, Way], runs: int) -> tuple[dict[str, float], dict[str, list[Any]]]:
    """Median milliseconds a frame of each way, and what each gave for the frames."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    gave: dict[str, list[Any]] = {}
    for _ in range(runs):
        for name, way in ways.items():
            started = time.perf_counter()
            gave[name] = way()
            times[name].append((time.perf_counter() - started) / len(gave[name]) * 1000)
    return {f"{name}_ms": statistics.median(taken) for name, taken in times.items()}, gave


def words_of(frames: list[Any]) -> list[list[str]]:
    return [[block["text"] for block in frame["result"].get("blocks", [])] for frame in frames]


@contextmanager
def analysing_processes(model: Path) -> Iterator[dict[str, IsolatedAnalysisService]]:
    """A worker's analysing process for each engine: it decodes in a further process, as in the product."""
    with ExitStack() as at_the_end:
        yield {name: at_the_end.enter_context(_process(model, name)) for name in ENGINES}


def _process(model: Path, engine: str) -> IsolatedAnalysisService:
    return IsolatedAnalysisService(settings_for(model, **ENGINES[engine]), _LIMITS, Logger(level="ERROR"))


def speed_and_words(
    clip: BenchClip, loops: Mapping[str, HandLoop], ours: Mapping[str, IsolatedAnalysisService], runs: int
) -> Row:
    """Milliseconds a frame of each way, their ratios, and how well each read."""
    frames = len(clip.truth)

    def run(service: IsolatedAnalysisService) -> list[list[str]]:
        items = service.run(RunRequest(clip.path, "yolo_ocr", max_frames=frames))
        results = [item.result for item in items if isinstance(item, AnalysedFrame)]
        return [[block["text"] for block in result["blocks"]] for result in results]

    ways: dict[str, Way] = {name: partial(loop.run, clip.path, frames) for name, loop in loops.items()}
    our_ways: dict[str, Way] = {name: partial(run, service) for name, service in ours.items()}
    for way in our_ways.values():
        way()
    times, read = interleaved(ways | our_ways, runs)
    row: Row = {"clip": clip.name, "frames": frames, **times}
    row |= {
        f"{name}_times_{loop}": times[f"{loop}_ms"] / times[f"{name}_ms"] for name in ours for loop in loops
    }
    for name, words in read.items():
        row |= {f"{name}_{share}": value for share, value in word_quality(words, clip.truth).items()}
    return row


def text_pipelines(
    services: Mapping[str, VideoFilePipelineService], clip: Clip, path: Path, runs: int
) -> list[Row]:
    """Reading the whole frame against reading the regions of chosen classes, on the same generated clip."""

    def run(engine: str, pipeline: str) -> list[Any]:
        return list(services[engine].run_on_file(path, pipeline, frame_stride=4))

    both = [(engine, pipeline) for engine in services for pipeline in TEXT_PIPELINES]
    times, frames = interleaved({" ".join(names): partial(run, *names) for names in both}, runs)
    rows = []
    for engine, pipeline in both:
        name = f"{engine} {pipeline}"
        truth = [clip.texts_of(frame["frame_index"]) for frame in frames[name]]
        quality = word_quality(words_of(frames[name]), truth)
        rows.append(
            {"clip": path.stem, "engine": engine, "pipeline": pipeline, "ms": times[f"{name}_ms"]} | quality
        )
    return rows


def starts(model: Path, runs: int) -> Row:
    """Seconds until a worker's analysing process is ready, with its models loaded, for each engine."""

    def start(engine: str) -> float:
        started = time.perf_counter()
        with _process(model, engine):
            return time.perf_counter() - started

    taken = [{engine: start(engine) for engine in ENGINES} for _ in range(runs)]
    row: Row = {f"{name}_s": statistics.median(once[name] for once in taken) for name in ENGINES}
    first, *others = ENGINES
    return row | {f"{name}_times": row[f"{name}_s"] / row[f"{first}_s"] for name in others}


def limits(clip: BenchClip, model: Path, ours: VideoFilePipelineService, frames: int, runs: int) -> Row:
    """Decoding alone, detecting alone at full throughput, and our whole pipeline, milliseconds a frame."""
    detector = OpenVinoDetector(model, settings_for(model))
    images = list(islice(frames_of(clip.path), frames))

    def detect() -> list[Any]:
        with ThreadPoolExecutor(3) as pool:
            return list(pool.map(detector.detect, images))

    ways: dict[str, Way] = {
        "decode": lambda: [None for _ in islice(frames_of(clip.path), frames)],
        "detect": detect,
        "ours": lambda: list(ours.run_on_file(clip.path, "yolo_ocr", max_frames=frames)),
    }
    times, _ = interleaved(ways, runs)
    slower = max(times["decode_ms"], times["detect_ms"])
    return {"clip": clip.name, **times, "times_the_slower": times["ours_ms"] / slower}


def agreement(path: Path, model: Path, frames: int | None = None) -> Row:
    """Boxes of plain ``predict`` that ours has too (same class, IoU 0.5), and the other way round."""
    with predict_in_f32():
        plain = UltralyticsDetector(model, settings_for(model, DETECTOR_BACKEND="ultralytics"))
        plain.detect(next(frames_of(path)))
    own = OpenVinoDetector(model, settings_for(model))
    boxes = matched = 0
    for image in islice(frames_of(path), frames):
        free, others = own.detect(image), plain.detect(image)
        boxes += len(free) + len(others)
        for box in others:
            if found := next((one for one in free if _is_same(one, box)), None):
                free.remove(found)
                matched += 2
    return {"clip": path.name, "model": model.name, "boxes": boxes // 2, "share": matched / boxes}


def _is_same(one: Detection, other: Detection) -> bool:
    return one.class_id == other.class_id and iou(list(one.xyxy), list(other.xyxy)) >= _SAME_BOX_IOU


@dataclass(frozen=True, slots=True)
class Repeated:
    """A clip that is played ``times`` times."""

    name: str
    source: Path
    times: int

    @classmethod
    def cars(cls, minutes: int) -> Repeated:
        """Footage of half a minute without text."""
        return cls(f"cars, {minutes} min", CARS, 2 * minutes)


def endurance(model: Path, engine: str, clip: Repeated, folder: Path) -> Row:
    """Peak memory, time and results size a frame of a long video, in a fresh analysing process."""
    path = folder / f"{clip.source.stem}_{clip.times}.mp4"
    run_ffmpeg("-stream_loop", str(clip.times - 1), "-i", str(clip.source), "-c", "copy", "-an", str(path))
    with _process(model, engine) as service:
        process = psutil.Process(service.pid)
        frames = size = peak = 0
        started = time.perf_counter()
        for item in service.run(RunRequest(path, "yolo_ocr")):
            if isinstance(item, PartEnd):
                continue
            frames += 1
            size += len(part_line(item))
            if frames % 25 == 0:
                peak = max(peak, process.memory_info().rss)
        ms = (time.perf_counter() - started) * 1000
    row: Row = {"clip": clip.name, "engine": engine, "frames": frames, "peak_mib": peak / 2**20}
    return row | {"ms_a_frame": ms / frames, "bytes_a_frame": size / frames}


def service_speed(model: Path, jobs: int, log_file: Path) -> Row:
    """Median time from submit to running, and jobs a minute of one worker, of the whole local stack."""
    video = TINY.read_bytes()
    with LocalStack(log_file=log_file, worker_settings={"MODEL_PATH": str(model)}) as stack:
        stack.wait_until_ready()
        client = Client(stack.url)
        client.analyse(video, **_TINY_JOB).wait(poll_s=_POLL_S)
        latencies = [_latency(client, video) for _ in range(5)]
        started = time.perf_counter()
        for job in [client.analyse(video, **_TINY_JOB) for _ in range(jobs)]:
            job.wait(poll_s=_POLL_S)
        minutes = (time.perf_counter() - started) / 60
    to_running_ms = statistics.median(latencies) * 1000
    return {"submit_to_running_ms": to_running_ms, "jobs": jobs, "jobs_a_minute": jobs / minutes}


def _latency(client: Client, video: bytes) -> float:
    started = time.perf_counter()
    job = client.analyse(video, **_TINY_JOB)
    while job.poll().status == "pending":
        time.sleep(_POLL_S)
    took_s = time.perf_counter() - started
    job.wait(poll_s=_POLL_S)
    return took_s
