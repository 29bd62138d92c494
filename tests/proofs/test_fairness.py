"""On the running local stack, one owner's many jobs do not stand before another owner's first one.

The issue asks for 1,000 jobs. `tests.unit.test_turns` submits so many; here, where each one takes up to a
second, 60 show the same: without turns, the other owner's job would be the last of them.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from video_jobs_client import Client

from gpu_worker_image.models.street_demo_training import SHIPPED
from tests.e2e.conftest import wait_until
from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.support.ready_stack import ready_stack
from tests.support.worker_world import OWN_FOLDERS
from tools.local_stack.stack import LocalStack

pytestmark = [pytest.mark.no_cover, pytest.mark.timeout(300)]
JOBS = 60
RUNNING_PER_OWNER = 4


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """One worker, whose pipeline only counts frames."""
    yield from ready_stack(
        tmp_path_factory,
        worker_settings={"MODEL_PATH": str(SHIPPED), **OWN_FOLDERS},
        function_settings={"PIPELINE_IDS": "count"},
        parameters={"RunningPerOwner": str(RUNNING_PER_OWNER)},
        logins=True,
    )


def submit(stack: LocalStack, owner: str) -> str:
    with Client(stack.url, stack.issuer.token(owner), timeout_s=60) as client:
        return client.analyse(TINY.read_bytes(), pipeline_id="count", max_frames=1).id


def logged(log: Path, action: str) -> list[str]:
    """The jobs of the log's lines with this action, in order."""
    lines = (line for line in log.read_text(encoding="utf-8").splitlines() if f'"{action}"' in line)
    return [str(json.loads(line)["job_id"]) for line in lines]


def test_another_owners_job_starts_before_the_fifth_of_the_first_one(stack: LocalStack) -> None:
    # GIVEN an owner with many jobs, of which none has started, and then one of another owner
    (worker,) = stack.workers
    os.kill(worker.pid, signal.SIGSTOP)
    with ThreadPoolExecutor(4) as pool:
        anns = set(pool.map(lambda _: submit(stack, "ann"), range(JOBS)))
    wait_until(lambda: anns <= set(logged(stack.log_file, "upload_handled")))
    bobs = submit(stack, "bob")
    wait_until(lambda: bobs in logged(stack.log_file, "upload_handled"))
    # WHEN the worker goes on
    os.kill(worker.pid, signal.SIGCONT)
    wait_until(lambda: bobs in logged(stack.log_file, "job_started"))
    # THEN the other owner's job starts before the fifth of the first one's
    assert logged(stack.log_file, "job_started").index(bobs) <= RUNNING_PER_OWNER
    # AND those that waited are sent, one after the other
    wait_until(lambda: len(logged(stack.log_file, "job_started")) > 3 * RUNNING_PER_OWNER)
