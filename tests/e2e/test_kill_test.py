"""A short kill test: `make chaos` is the long one."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest
import requests

from gpu_worker_image.models.street_demo_training import SHIPPED
from tests.e2e.conftest import Api
from tools.chaos.plans import CLIP
from tools.chaos.proxy import Faults, FaultyProxy
from tools.local_stack.stack import LocalStack
from tools.local_stack.workers import SupervisedWorker, WorkerStartError

ROOT = Path(__file__).parents[2]
KINDS = ("server_error", "throttle", "dropped", "lost_answer", "slow", "storm")


@pytest.mark.timeout(600)
def test_nothing_is_lost_and_nothing_happens_twice() -> None:
    command = [sys.executable, "-m", "tools.chaos", "--jobs", "8", "--workers", "2", "--seed", "5"]
    done = subprocess.run(
        [*command, "--model", str(SHIPPED)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    counts = {name.strip(): int(count) for name, count in re.findall(r"^(.+?) +(\d+)", done.stdout, re.M)}
    assert counts["jobs accepted"] == counts["completed"] + counts["failed by plan"] == 8
    assert [counts[name] for name in ("lost", "duplicated", "different results", "failed otherwise")] == [
        0
    ] * 4
    assert counts["workers killed"] > 0
    assert counts["faults injected"] > 10


def test_a_dead_worker_is_started_anew(stack: LocalStack, api: Api) -> None:
    (worker,) = stack.workers
    first = worker.pid
    os.kill(first, signal.SIGKILL)
    job_id = api.submit_body(CLIP.read_bytes(), max_frames=2).json()["job_id"]
    assert api.wait_for_end(job_id)[0]["status"] == "completed"
    assert worker.pid != first
    assert worker.restarts == 1
    assert "ended with exit code -9; another is started" in stack.log_file.read_text()


def test_a_worker_with_wrong_settings_is_not_started_again_and_again(tmp_path: Path) -> None:
    settings = {"MODEL_PATH": "/nowhere/model", "TABLE_NAME": "t", "BUCKET_NAME": "b"}
    with (tmp_path / "log").open("wb") as log, SupervisedWorker(settings, log, 5) as worker:
        with pytest.raises(WorkerStartError, match="/nowhere/model"):
            worker.wait_until_ready()
        assert worker.restarts == 0


@pytest.mark.parametrize("kind", KINDS[:-1])
def test_the_proxy_fails_as_it_is_told(stack: LocalStack, kind: str) -> None:
    faults = Faults(Random(1), enabled=True)
    for name in KINDS:
        setattr(faults, name, float(name == kind))
    bucket = stack.template.resolve({"Ref": "MediaBucket"})
    key = f"proxy/{kind}"
    with FaultyProxy(stack.aws.url, faults) as proxy:
        started = time.monotonic()
        try:
            answer: int | None = requests.put(
                f"{proxy.url}/{bucket}/{key}", data=b"x", timeout=30
            ).status_code
        except requests.ConnectionError:
            answer = None
        took_s = time.monotonic() - started
    stored = "Contents" in stack.aws.client("s3").list_objects_v2(Bucket=bucket, Prefix=key)
    expected = {"server_error": 500, "throttle": 503, "dropped": None, "lost_answer": None, "slow": 200}
    assert answer == expected[kind]
    assert stored == (kind in ("lost_answer", "slow"))
    assert kind != "slow" or took_s > 0.1
    assert faults.injected == {kind: 1}
