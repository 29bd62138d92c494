"""Run jobs while workers are killed and the network fails, and look at what became of them."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count, product
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Self

from video_jobs_client import Client
from video_jobs_client.protocol.retries import Retries
from video_jobs_client.uploads import UploadSettings

from gpu_worker_image.models.street_demo_training.clips import street_clip, write_mp4
from tests.fixtures.make_tiny_mp4 import FPS, PATH, SIZE
from tests.proofs.chaos.proxy import Faults, FaultyProxy
from tools.local_stack.stack import LocalStack
from tools.local_stack.workers import WorkerStartError

REFERENCE_JOBS = 20
"""The undisturbed run has at most so many jobs; times are compared a job."""

CLIP = PATH.read_bytes()
LONG_FRAMES = 160
"""Of a long video: 40 parts."""

_CLIENTS = 4
_RETRIES, _PAUSE_S = 200, 0.3
_JOB_TIMEOUT_S = 480
# The limits on crashes and failures of one job are far above what the test inflicts, so that no rule fails a
# good job; leases are short, so that a killed worker's job is taken over soon.
_PATIENT = {"MAX_CRASHES": "1000", "PART_FRAMES": "4", "AWS_MAX_ATTEMPTS": "2"}
_WORKER = {"LEASE_S": "4", "HEARTBEAT_S": "1", "MAX_FAILURES": "1000", "RETRY_DELAY_S": "0"}
Job = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """One kind of job: ``end`` is ``completed``, or the error code it must fail with.

    With ``in_body`` the video goes in the request, otherwise by a presigned upload.
    """

    name: str
    content: bytes
    end: str
    in_body: bool
    options: Mapping[str, Any] = field(default_factory=dict)


_ANALYSES: Mapping[str, Mapping[str, Any]] = {
    "boxes": {"pipeline_id": "yolo_only"},
    "text": {"pipeline_id": "yolo_ocr", "frame_stride": 4, "max_frames": 8},
    "regions": {"pipeline_id": "yolo_ocr_regions", "frame_stride": 2, "max_frames": 16},
}
_LONG_ANALYSES: Mapping[str, Mapping[str, Any]] = {
    "boxes of a long video": {"pipeline_id": "yolo_only"},
    "regions of a long video": {"pipeline_id": "yolo_ocr_regions", "frame_stride": 2},
}
_GOOD = [
    Plan(name, CLIP, "completed", in_body, options)
    for (name, options), in_body in product(_ANALYSES.items(), (True, False))
]
_BAD = [
    Plan("cut off", CLIP[: CLIP.index(b"moov") + 60], "unreadable_video", in_body=True),
    Plan("noise", CLIP[:32] + Random(1).randbytes(5000), "unreadable_video", in_body=False),
    Plan("no video", b"This is no video.", "invalid_mp4", in_body=False),
]


@dataclass(frozen=True, slots=True)
class Load:
    """What the clients submit: how many jobs, of which plans, and how many at once.

    ``pauses_s`` are the shortest and the longest time between two kills.
    """

    jobs: int
    good: Sequence[Plan]
    bad: Sequence[Plan]
    at_once: int
    pauses_s: tuple[float, float]

    @classmethod
    def short(cls, jobs: int) -> Self:
        """Short videos of all kinds, all at once."""
        return cls(jobs, _GOOD, _BAD, jobs, (0.5, 4.0))

    @classmethod
    def long(cls, jobs: int) -> Self:
        """Long videos, one at a time, so that the other workers help."""
        clip = _long_clip()
        good = [
            Plan(name, clip, "completed", in_body, options)
            for (name, options), in_body in product(_LONG_ANALYSES.items(), (True, False))
        ]
        return cls(jobs, good, (), 1, (2.0, 10.0))

    def pick(self, seed: int, jobs: int) -> list[Plan]:
        """Plans at random; four of five are good."""
        random = Random(seed)
        return [
            random.choice(self.good if random.random() < 0.8 else self.bad or self.good) for _ in range(jobs)
        ]


def _long_clip() -> bytes:
    clip = street_clip(SIZE, frames=LONG_FRAMES)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "long.mp4"
        write_mp4(path, (image for image, _ in clip), FPS, SIZE)
        return path.read_bytes()


@dataclass
class KillTestReport:
    """What became of the jobs; ``broken`` has a sentence for each broken promise."""

    faults: Counter[str]
    counts: Counter[str] = field(default_factory=Counter)
    broken: list[tuple[str, str]] = field(default_factory=list)
    seconds: float = 0.0
    seconds_a_job_undisturbed: float = 0.0

    def lines(self) -> Iterator[str]:
        jobs, broken = self.counts["jobs accepted"], Counter(promise for promise, _ in self.broken)
        overhead = self.seconds / max(1, jobs) / self.seconds_a_job_undisturbed
        counts = {
            "jobs accepted": jobs,
            "  completed": self.counts["completed"],
            "  failed by plan": self.counts["failed by plan"],
            "  failed otherwise": broken["failed otherwise"],
            **{promise: broken[promise] for promise in ("lost", "duplicated", "different results")},
            "frames by helpers": f"{self.counts['frames by helpers']} (with the undisturbed runs)",
            "taken over or retried": self.counts["taken over or retried"],
            "workers killed": f"{self.counts['kills']} (restarted {self.counts['restarts']})",
            "faults injected": self.faults.total(),
            **{f"  {kind}": number for kind, number in self.faults.most_common()},
            "time": f"{self.seconds:.0f} s; a job took {overhead:.1f} times as long as in an undisturbed "
            f"run of at most {REFERENCE_JOBS} jobs",
        }
        yield from (f"{name:<24}{value}" for name, value in counts.items())
        yield from (f"{promise}: {sentence}" for promise, sentence in self.broken)


def run_kill_test(load: Load, workers: int, seed: int, model: Path, log_file: Path) -> KillTestReport:
    """Run jobs while workers are killed and requests fail."""
    faults = Faults(Random(seed + 1))
    stack = LocalStack(
        log_file=log_file,
        workers=workers,
        worker_settings={"MODEL_PATH": str(model), **_PATIENT, **_WORKER},
        function_settings=_PATIENT,
        aws_proxy=partial(FaultyProxy, faults=faults),
    )
    with stack:
        stack.wait_until_ready()
        return _KillTest(stack, faults, seed).run(load)


class _KillTest:
    def __init__(self, stack: LocalStack, faults: Faults, seed: int) -> None:
        self._stack, self._faults, self._seed = stack, faults, seed
        retries = Retries(limit=_RETRIES, first_s=_PAUSE_S, longest_s=_PAUSE_S)
        self._client = Client(stack.url, retries=retries)
        self._report = KillTestReport(faults.injected)
        self._accepted: dict[str, Plan] = {}
        self._keys = (f"{seed}-{number}" for number in count())

    def run(self, load: Load) -> KillTestReport:
        report = self._report
        # A failed upload event comes again after seconds, not minutes.
        url = self._stack.template.resolve({"Ref": "UploadsQueue"})
        sqs = self._stack.aws.client("sqs")
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "3"})
        _, references = self._finish([plan for plan in load.good if plan.in_body], load.at_once)
        expected = {plan.name: self._results(job) for job, plan in references}
        few = min(load.jobs, REFERENCE_JOBS)
        undisturbed_s, _ = self._finish(load.pick(self._seed + 2, few), load.at_once)
        report.seconds_a_job_undisturbed = undisturbed_s / few
        known = self._job_ids()
        with self._under_fire(load.pauses_s):
            report.seconds, ended = self._finish(load.pick(self._seed, load.jobs), load.at_once)
        accepted = self._accepted.keys() - known
        lost = accepted - {job["job_id"] for job, _ in ended}
        report.broken += [("lost", job_id) for job_id in sorted(lost)]
        strangers = self._job_ids() - known - accepted
        report.broken += [("duplicated", f"{job_id}: nobody asked for it") for job_id in sorted(strangers)]
        for job, plan in ended:
            self._judge(job, plan, expected)
        report.counts["jobs accepted"] = len(accepted)
        report.counts["frames by helpers"] = sum(map(self._frames_by_helpers, self._accepted))
        report.counts["restarts"] = sum(worker.restarts for worker in self._stack.workers)
        return report

    def _finish(self, plans: Sequence[Plan], at_once: int) -> tuple[float, list[tuple[Job, Plan]]]:
        """Submit jobs and wait for them; gives the seconds, and each job that ended."""
        started, ended = time.monotonic(), list[tuple[Job, Plan]]()
        for first in range(0, len(plans), at_once):
            ended += self._finish_some(plans[first : first + at_once])
        return time.monotonic() - started, ended

    def _finish_some(self, plans: Sequence[Plan]) -> list[tuple[Job, Plan]]:
        with ThreadPoolExecutor(_CLIENTS) as clients:
            accepted = dict(zip(clients.map(self._submit, plans), plans, strict=True))
        self._accepted |= accepted
        ended: dict[str, Job] = {}
        gives_up_at = time.monotonic() + _JOB_TIMEOUT_S + len(plans)
        while len(ended) < len(accepted) and time.monotonic() < gives_up_at:
            asked = [self._job(job_id) for job_id in accepted.keys() - ended.keys()]
            ended |= {job["job_id"]: job for job in asked if job["status"] in ("completed", "failed")}
            time.sleep(0.2)
        return [(job, accepted[job_id]) for job_id, job in ended.items()]

    def _submit(self, plan: Plan) -> str:
        upload = UploadSettings(method="body" if plan.in_body else "form")
        key = next(self._keys)
        return self._client.analyse(plan.content, upload=upload, idempotency_key=key, **plan.options).id

    def _job(self, job_id: str) -> Job:
        """The job resource as it is."""
        job: Job = json.loads(self._client.request("GET", f"/video/jobs/{job_id}").content)
        return job

    @contextmanager
    def _under_fire(self, pauses_s: tuple[float, float]) -> Iterator[None]:
        over = threading.Event()
        killer = threading.Thread(target=self._kill_workers, args=(over, pauses_s), name="killer")
        self._faults.enabled = True
        killer.start()
        try:
            yield
        finally:
            over.set()
            killer.join()
            self._faults.enabled = False

    def _kill_workers(self, over: threading.Event, pauses_s: tuple[float, float]) -> None:
        """Kill one that is ready, again and again; one that still starts has nothing to lose yet."""
        random = Random(self._seed + 3)
        while not over.wait(random.uniform(*pauses_s)):
            worker = random.choice(self._stack.workers)
            with suppress(ProcessLookupError, WorkerStartError):
                worker.wait_until_ready()
                if worker.is_alive():
                    os.kill(worker.pid, signal.SIGKILL)
                    self._report.counts["kills"] += 1

    def _judge(self, job: Job, plan: Plan, expected: Mapping[str, bytes]) -> None:
        counts, broken, job_id = self._report.counts, self._report.broken, job["job_id"]
        end = job["error"]["code"] if job["error"] else job["status"]
        counts["taken over or retried"] += job["attempt"] > 1
        if self._job(job_id) != job:
            broken.append(("duplicated", f"{job_id}: it changed after its end"))
        if end != plan.end:
            broken.append(("failed otherwise", f"{job_id}: {plan.name} ended {end}: {job['error']}"))
        elif end != "completed":
            counts["failed by plan"] += 1
        else:
            counts["completed"] += 1
            if self._results(job) != expected[plan.name]:
                broken.append(("different results", f"{job_id}: {plan.name}"))

    def _job_ids(self) -> set[str]:
        table = self._stack.template.resolve({"Ref": "JobsTable"})
        pages = self._stack.aws.client("dynamodb").get_paginator("scan").paginate(TableName=table)
        return {item["job_id"]["S"] for page in pages for item in page["Items"]}

    def _frames_by_helpers(self, job_id: str) -> int:
        """How many frames of a job were analysed by helpers, as its segments say."""
        answer = self._stack.aws.client("dynamodb").query(
            TableName=self._stack.template.resolve({"Ref": "StateTable"}),
            KeyConditionExpression="pk = :job AND begins_with(sk, :segments)",
            ExpressionAttributeValues={":job": {"S": f"job#{job_id}"}, ":segments": {"S": "segment#"}},
        )
        return sum(json.loads(item["used"]["S"])["frames"] for item in answer["Items"])

    def _results(self, job: Job) -> bytes:
        bucket = self._stack.template.resolve({"Ref": "MediaBucket"})
        key = f"video_jobs/{job['job_id']}_results.json"
        content: bytes = self._stack.aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        return content
