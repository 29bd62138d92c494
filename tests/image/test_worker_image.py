"""The built image as the local stack's worker."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Api, wait_until
from tests.fixtures.ffmpeg import run_ffmpeg
from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.support.ready_stack import ready_stack
from tools.local_stack.stack import LocalStack
from tools.worker_image.engine import Engine

pytestmark = [pytest.mark.timeout(1500), pytest.mark.no_cover]  # the build takes minutes

MOST_BYTES = 2_500_000_000

LOOK_AROUND = r"""
import importlib.util, json, os, pathlib
UNWANTED = ("torch", "nvidia", "ultralytics", "pip")
def lines(pid):
    return dict(line.split(":\t") for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
def command(pid):
    return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode()
def is_in_this_container(pid):
    try:
        return os.readlink(f"/proc/{pid}/ns/mnt") == os.readlink("/proc/self/ns/mnt")
    except OSError:
        return False
pids = [int(path.name) for path in pathlib.Path("/proc").glob("[0-9]*")]
others = [pid for pid in pids if is_in_this_container(pid) and pid != os.getpid()]
of_workers = [lines(pid) for pid in others if "video_worker.runner" in command(pid)]
def writable(folder):
    try:
        (folder / "touched").touch()
        (folder / "touched").unlink()
    except OSError:
        return False
    return True
folders = ["/", "/tmp", "/var/tmp", "/home", "/opt/app", "/opt/models", "/etc", "/usr/lib", "/scratch"]
print(json.dumps({
    "uids": sorted({word for status in of_workers for word in status["Uid"].split()}),
    "capabilities": sorted({status["CapEff"] + status["CapBnd"] for status in of_workers}),
    "new_privileges": sorted({status["NoNewPrivs"] for status in of_workers}),
    "writable": [folder for folder in folders if writable(pathlib.Path(folder))],
    "too_much": [name for name in UNWANTED if importlib.util.find_spec(name)],
}))
"""


@pytest.fixture
def stack(engine: Engine, image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    yield from ready_stack(tmp_path_factory, launcher=engine.launcher(image))


def run_inside(engine: Engine, stack: LocalStack, *command: str) -> subprocess.CompletedProcess[str]:
    inside = engine.inside(stack.workers[0].pid, command)
    return subprocess.run(inside, capture_output=True, text=True, check=False)


def test_a_container_finishes_a_job_as_its_own_user_and_stops_cleanly(
    engine: Engine, stack: LocalStack, tmp_path: Path
) -> None:
    # GIVEN a worker from the image, which is healthy
    api = Api(stack.url)
    health = run_inside(engine, stack, "python", "-m", "video_worker.health")
    assert health.returncode == 0, health.stdout + health.stderr
    # WHEN a job is submitted THEN it finishes with the image's own model
    job, _ = api.wait_for_end(api.submit_presigned(TINY))
    assert job["status"] == "completed", stack.log_file.read_text(encoding="utf-8")
    assert len(api.get(f"/video/results/{job['job_id']}").json()["results"]) == 40
    assert '"model":"/opt/models/street_demo"' in stack.log_file.read_text(encoding="utf-8")
    # AND it ran without rights, and can write to one folder only
    seen: dict[str, Any] = json.loads(run_inside(engine, stack, "python", "-c", LOOK_AROUND).stdout)
    assert seen["uids"] == ["10001"]
    assert seen["capabilities"] == ["0" * 32]
    assert seen["new_privileges"] == ["1"]
    assert seen["writable"] == ["/scratch"]
    assert seen["too_much"] == []
    # WHEN it is told to stop in the middle of a job
    (worker,) = stack.workers
    long = tmp_path / "long.mp4"
    run_ffmpeg("-stream_loop", "500", "-i", str(TINY), "-c", "copy", str(long))
    unfinished = api.submit_presigned(long)
    wait_until(lambda: api.status(unfinished)["status"] == "running")
    worker.__exit__()
    # THEN it gives the job back, and ends well
    assert worker.exit_code == 0
    assert api.status(unfinished)["status"] == "pending"
    log = stack.log_file.read_text(encoding="utf-8")
    assert log.index('"action":"job_returned"') < log.index('"action":"worker_stopped"')


def test_the_cpu_image_is_small(engine: Engine, image: str) -> None:
    number, unit = engine.size(image).replace("MB", " MB").replace("GB", " GB").split()
    assert float(number) * {"MB": 1e6, "GB": 1e9}[unit] < MOST_BYTES
