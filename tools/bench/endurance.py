"""Does the cost grow with the length of a video? One minute against twenty."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import psutil
from aws_lambda_powertools import Logger
from video_worker.analysis import RunRequest
from video_worker.isolation.limits import JobLimits
from video_worker.isolation.service import IsolatedAnalysisService
from video_worker.results_serializer import frame_line

from tests.fixtures.ffmpeg import run_ffmpeg
from tools.bench.clips import MEDIA
from tools.bench.pipeline import settings_for

_LIMITS = JobLimits(memory_mib=8192, cpu_s=10**6, frame_s=600)
_EVERY_FRAMES = 25


def endurance(model: Path, folder: Path, minutes: tuple[int, ...]) -> list[dict[str, Any]]:
    """For each length, in a fresh analysing process: peak memory, time and results size a frame."""
    return [_measure(model, _repeated(folder, length), length) for length in minutes]


def _repeated(folder: Path, minutes: int) -> Path:
    """The footage of half a minute, again and again."""
    path = folder / f"{minutes}_minutes.mp4"
    source = str(MEDIA / "car-detection.mp4")
    run_ffmpeg("-stream_loop", str(2 * minutes - 1), "-i", source, "-c", "copy", "-an", str(path))
    return path


def _measure(model: Path, path: Path, minutes: int) -> dict[str, Any]:
    with IsolatedAnalysisService(settings_for(model), _LIMITS, Logger(level="ERROR")) as service:
        process = psutil.Process(service.pid)
        frames = size = peak = 0
        started = time.perf_counter()
        for frame in service.run(RunRequest(path, "yolo_ocr")):
            frames += 1
            size += len(frame_line(frame))
            if frames % _EVERY_FRAMES == 0:
                peak = max(peak, process.memory_info().rss)
        took_s = time.perf_counter() - started
    return {
        "minutes": minutes,
        "frames": frames,
        "peak_mib": peak / 2**20,
        "ms_a_frame": took_s / frames * 1000,
        "bytes_a_frame": size / frames,
    }
