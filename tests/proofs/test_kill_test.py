"""A short kill test (`make chaos` is the long one), and that its instruments work."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from subprocess import run
from sys import executable

import pytest
import requests
from video_jobs_client import Client

from gpu_worker_image.models.street_demo_training import SHIPPED
from tests.proofs.chaos.kill_test import CLIP
from tests.proofs.chaos.proxy import Faults, FaultyProxy
from tests.support.ready_stack import ready_stack
from tools.local_stack.stack import LocalStack
from tools.local_stack.workers import SupervisedWorker, WorkerStartError, from_source

CHAOS = [executable, "-m", "tests.proofs.chaos", "--workers", "2", "--seed", "5", "--model", str(SHIPPED)]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    yield from ready_stack(tmp_path_factory, worker_settings={"MODEL_PATH": str(SHIPPED)})


def counts_of(*arguments: str) -> dict[str, int]:
    """What a kill test that kept all promises counted."""
    done = run([*CHAOS, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    counts = {name.strip(): int(count) for name, count in re.findall(r"^(.+?) +(\d+)", done.stdout, re.M)}
    assert {counts[name] for name in ("lost", "duplicated", "different results", "failed otherwise")} == {0}
    assert counts["workers killed"] > 0
    return counts


@pytest.mark.timeout(600)
def test_long_videos_are_shared_and_come_out_the_same() -> None:
    counts = counts_of("--long", "--jobs", "1")
    assert counts["completed"] == 1
    assert counts["frames by helpers"] > 0


@pytest.mark.timeout(600)
def test_nothing_is_lost_and_nothing_happens_twice() -> None:
    counts = counts_of("--jobs", "16")
    assert counts["jobs accepted"] == counts["completed"] + counts["failed by plan"] == 16
    assert counts["taken over or retried"] > 0
    assert counts["faults injected"] > 10


def test_a_dead_worker_is_started_anew(stack: LocalStack) -> None:
    (worker,) = stack.workers
    first = worker.pid
    os.kill(first, signal.SIGKILL)
    client = Client(stack.url)
    assert client.analyse(CLIP, max_frames=2).wait(poll_s=0.25).status == "completed"
    assert worker.pid != first
    assert worker.restarts == 1
    assert "ended with exit code -9; another is started" in stack.log_file.read_text()


def test_a_worker_with_wrong_settings_is_not_started_again_and_again(tmp_path: Path) -> None:
    settings = {"MODEL_PATH": "/nowhere/model", "TABLE_NAME": "t", "BUCKET_NAME": "b"}
    with (
        (tmp_path / "log").open("wb") as log,
        SupervisedWorker(from_source(settings, tmp_path), log, 5) as worker,
    ):
        with pytest.raises(WorkerStartError, match="/nowhere/model"):
            worker.wait_until_ready()
        assert worker.restarts == 0


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("server_error", 500), ("throttle", 503), ("dropped", None), ("lost_answer", None), ("slow", 200)],
)
def test_the_proxy_fails_as_it_is_told(stack: LocalStack, kind: str, expected: int | None) -> None:
    faults = Faults(Random(1), {kind: 1.0}, enabled=True)
    bucket = stack.template.resolve({"Ref": "MediaBucket"})
    started = time.monotonic()
    with FaultyProxy(stack.aws.url, faults) as proxy:
        try:
            answer = requests.put(f"{proxy.url}/{bucket}/proxy/{kind}", b"x", timeout=30).status_code
        except requests.ConnectionError:
            answer = None
    took_s = time.monotonic() - started
    stored = stack.aws.client("s3").list_objects_v2(Bucket=bucket, Prefix=f"proxy/{kind}")
    assert answer == expected
    assert ("Contents" in stored) == (kind in ("lost_answer", "slow"))
    assert kind != "slow" or took_s > 0.1
    assert faults.injected == {kind: 1}
