"""The whole service on this machine: how soon a job runs, and how many it does a minute."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any

import requests

from tools.bench.clips import CLIP
from tools.local_stack.stack import LocalStack

_POLL_S = 0.01


def service_speed(model: Path, jobs: int, log_file: Path) -> dict[str, Any]:
    """Median time from submit to running, and jobs a minute of one worker."""
    with LocalStack(log_file=log_file, worker_settings={"MODEL_PATH": str(model)}) as stack:
        stack.wait_until_ready()
        _wait(stack.url, _submit(stack.url), "completed")
        latencies = [_latency(stack.url) for _ in range(5)]
        started = time.perf_counter()
        accepted = [_submit(stack.url) for _ in range(jobs)]
        for job_id in accepted:
            _wait(stack.url, job_id, "completed")
        minutes = (time.perf_counter() - started) / 60
    return {
        "submit_to_running_ms": statistics.median(latencies) * 1000,
        "jobs": jobs,
        "jobs_a_minute": jobs / minutes,
    }


def _latency(url: str) -> float:
    started = time.perf_counter()
    job_id = _submit(url)
    _wait(url, job_id, "running", "completed")
    took_s = time.perf_counter() - started
    _wait(url, job_id, "completed")
    return took_s


def _submit(url: str) -> str:
    answer = requests.post(
        f"{url}/video/submit",
        data=CLIP.read_bytes(),
        params={"pipeline_id": "yolo_only", "max_frames": "3"},
        headers={"content-type": "video/mp4"},
        timeout=30,
    )
    answer.raise_for_status()
    return str(answer.json()["job_id"])


def _wait(url: str, job_id: str, *statuses: str) -> None:
    while True:
        status = requests.get(f"{url}/video/status/{job_id}", timeout=30).json()["status"]
        if status in statuses:
            return
        if status == "failed":
            raise RuntimeError(f"job {job_id} failed")
        time.sleep(_POLL_S)
