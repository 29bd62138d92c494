"""An upload of 200 MB whose program is killed three times: nothing that has arrived is sent again."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from video_jobs_client import Client

from gpu_worker_image.models.street_demo_training import SHIPPED
from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.support.ready_stack import ready_stack
from tools.local_stack.stack import LocalStack

ROOT = Path(__file__).parents[3]
MIB = 2**20
PADDING_BYTES = 200 * MIB
KILLS_AFTER_BYTES = (60 * MIB, 110 * MIB, 160 * MIB)
MOST_MEMORY_KIB = 100_000_000 // 1024


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    yield from ready_stack(tmp_path_factory, worker_settings={"MODEL_PATH": str(SHIPPED)})


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short video with a long box of padding, no two parts of which are alike."""
    path, random = tmp_path_factory.mktemp("video") / "long.mp4", Random(20)
    with path.open("wb") as file:
        file.write(TINY.read_bytes())
        file.write((PADDING_BYTES + 8).to_bytes(4) + b"free")
        for _ in range(0, PADDING_BYTES, MIB):
            file.write(random.randbytes(MIB))
    return path


def digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class Run:
    """What one run of the uploading program did: the parts that it began to send, and how it ended."""

    parts: list[int]
    peak_kib: int
    code: int
    output: str


@dataclass(frozen=True)
class Program:
    """The uploading program, which finds what an earlier run left in its cache folder."""

    kind: str
    url: str
    video: Path
    folder: Path

    def run(self, *kill_after_bytes: int) -> Run:
        log = self.folder / f"{len(list(self.folder.glob('*.log')))}.log"
        arguments = [self.kind, self.url, self.video, log, *kill_after_bytes]
        done = subprocess.run(
            [sys.executable, "-m", "tests.proofs.client.upload_program", *map(str, arguments)],
            cwd=ROOT,
            env={**os.environ, "VIDEO_JOBS_CACHE_DIR": str(self.folder / "cache")},
            stdout=subprocess.PIPE,
            text=True,
            check=False,
            timeout=300,
        )
        lines = [line.split() for line in log.read_text("ascii").splitlines()]
        parts = [int(value) for word, value in lines if word == "part"]
        (peak_kib,) = (int(value) for word, value in lines if word == "peak_kib")
        return Run(parts, peak_kib, done.returncode, done.stdout.strip())


@dataclass(frozen=True)
class Listed:
    """The parts of the only unfinished upload, as the service lists them."""

    job_id: str
    numbers: set[int]

    @classmethod
    def by(cls, client: Client) -> Listed:
        (job,) = client.jobs.list(status="pending")
        told = json.loads(client.request("GET", f"/video/jobs/{job.id}/upload").content)
        return cls(job.id, {part["part_number"] for part in told["parts"]})


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_an_upload_that_is_killed_three_times_sends_nothing_again_and_needs_little_memory(
    kind: str, stack: LocalStack, video: Path, tmp_path: Path
) -> None:
    program = Program(kind, stack.url, video, tmp_path)
    client = Client(stack.url)
    # GIVEN a program that was killed three times, each time while other parts were on their way
    runs, listed = [], []
    for kill_after_bytes in KILLS_AFTER_BYTES:
        runs.append(program.run(kill_after_bytes))
        assert runs[-1].code == -signal.SIGKILL
        listed.append(Listed.by(client))
    stored = [set[int](), *(one.numbers for one in listed)]
    assert all(before < after for before, after in pairwise(stored)), stored
    # WHEN it runs once more
    last = program.run()
    assert last.code == 0
    # THEN it is the same job, and no run has sent a part that the service listed before
    assert {last.output, *(one.job_id for one in listed)} == {last.output}
    for run, there in zip([*runs, last], stored, strict=True):
        assert len(run.parts) == len(set(run.parts))
        assert there.isdisjoint(run.parts)
    assert last.parts
    assert max(run.peak_kib for run in [*runs, last]) < MOST_MEMORY_KIB
    # AND what has arrived is the file, and is analysed
    job = client.jobs.get(last.output).wait(timeout=120)
    assert job.resource.frames_done == 40
    assert digest_of(job.download(tmp_path / "arrived.mp4", "video")) == digest_of(video)
