"""Run jobs while workers are killed and the network fails, and look at what became of them."""

from __future__ import annotations

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
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from tests.proofs.chaos.plans import GOOD, Plan, pick
from tests.proofs.chaos.proxy import Faults, FaultyProxy
from tools.client import Client
from tools.local_stack.stack import LocalStack

REFERENCE_JOBS = 20
"""The undisturbed run has at most so many jobs; times are compared a job."""

_CLIENTS = 4
_RETRIES = 200
_JOB_TIMEOUT_S = 240
_PATIENT = {"MAX_CRASHES": "1000", "PART_FRAMES": "4", "AWS_MAX_ATTEMPTS": "2"}
_WORKER = {"LEASE_S": "4", "HEARTBEAT_S": "1", "MAX_FAILURES": "1000", "RETRY_DELAY_S": "0"}
_BROKEN_PROMISES = ("unplanned", "lost", "duplicated", "different")
Job = dict[str, Any]


@dataclass
class KillTestReport:
    """What became of the jobs; `lost`, `duplicated`, `different` and `unplanned` must be empty."""

    accepted: int = 0
    completed: int = 0
    failed_by_plan: int = 0
    unplanned: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)
    resumed: int = 0
    kills: int = 0
    restarts: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    seconds_a_job_undisturbed: float = 0.0

    @property
    def is_clean(self) -> bool:
        """Whether every promise was kept."""
        return not any(getattr(self, promise) for promise in _BROKEN_PROMISES)

    def lines(self) -> Iterator[str]:
        """The report as text."""
        overhead = self.seconds / max(1, self.accepted) / self.seconds_a_job_undisturbed
        counts = {
            "jobs accepted": self.accepted,
            "  completed": self.completed,
            "  failed by plan": self.failed_by_plan,
            "  failed otherwise": len(self.unplanned),
            "lost": len(self.lost),
            "duplicated": len(self.duplicated),
            "different results": len(self.different),
            "taken over or retried": self.resumed,
            "workers killed": f"{self.kills} (restarted {self.restarts})",
            "faults injected": self.faults.total(),
            **{f"  {kind}": number for kind, number in self.faults.most_common()},
            "time": f"{self.seconds:.0f} s; a job took {overhead:.1f} times as long as in an undisturbed "
            f"run of at most {REFERENCE_JOBS} jobs",
        }
        yield from (f"{name:<24}{value}" for name, value in counts.items())
        for promise in _BROKEN_PROMISES:
            yield from (f"{promise}: {sentence}" for sentence in getattr(self, promise))


def run_kill_test(jobs: int, workers: int, seed: int, model: Path, log_file: Path) -> KillTestReport:
    """Run ``jobs`` jobs while workers are killed and requests fail.

    The limits on crashes and failures of one job are far above what the test inflicts, so that no rule fails
    a good job; leases are short, so that a killed worker's job is taken over soon.
    """
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
        return _KillTest(stack, faults, seed).run(jobs)


class _KillTest:
    def __init__(self, stack: LocalStack, faults: Faults, seed: int) -> None:
        self._stack = stack
        self._faults = faults
        self._seed = seed
        self._client = Client(stack.url, retries=_RETRIES)
        self._s3 = stack.aws.client("s3")
        self._report = KillTestReport(faults=faults.injected)
        self._keys = (f"{seed}-{number}" for number in count())

    def run(self, jobs: int) -> KillTestReport:
        report = self._report
        self._hurry_redelivery()
        _, references = self._finish([plan for plan in GOOD if plan.in_body])
        expected = {plan.name: self._results(job) for job, plan in references}
        few = min(jobs, REFERENCE_JOBS)
        undisturbed_s, _ = self._finish(pick(Random(self._seed + 2), few))
        report.seconds_a_job_undisturbed = undisturbed_s / few
        known = self._job_ids()
        with self._under_fire():
            report.seconds, ended = self._finish(pick(Random(self._seed), jobs))
        strangers = self._job_ids() - known - self._accepted.keys()
        report.duplicated += sorted(f"{job_id}: nobody asked for it" for job_id in strangers)
        for job, plan in ended:
            self._judge(job, plan, expected)
        report.restarts = sum(worker.restarts for worker in self._stack.workers)
        return report

    def _hurry_redelivery(self) -> None:
        """A failed upload event comes again after seconds, not minutes."""
        url = self._stack.template.resolve({"Ref": "UploadsQueue"})
        sqs = self._stack.aws.client("sqs")
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "3"})

    def _finish(self, plans: Sequence[Plan]) -> tuple[float, list[tuple[Job, Plan]]]:
        """Submit jobs and wait for them; gives the seconds, and each job that ended."""
        started = time.monotonic()
        with ThreadPoolExecutor(_CLIENTS) as clients:
            self._accepted = dict(zip(clients.map(self._submit, plans), plans, strict=True))
        ended: dict[str, Job] = {}
        gives_up_at = time.monotonic() + _JOB_TIMEOUT_S + len(plans)
        while len(ended) < len(self._accepted) and time.monotonic() < gives_up_at:
            asked = [self._client.job(job_id) for job_id in self._accepted.keys() - ended.keys()]
            ended |= {job["job_id"]: job for job in asked if job["status"] in ("completed", "failed")}
            time.sleep(0.2)
        self._report.accepted = len(self._accepted)
        self._report.lost = sorted(self._accepted.keys() - ended.keys())
        return time.monotonic() - started, [(job, self._accepted[job_id]) for job_id, job in ended.items()]

    def _submit(self, plan: Plan) -> str:
        submit = self._client.submit_in_body if plan.in_body else self._client.submit
        return submit(plan.content, key=next(self._keys), **plan.options)

    @contextmanager
    def _under_fire(self) -> Iterator[None]:
        over = threading.Event()
        killer = threading.Thread(target=self._kill_workers, args=(over,), name="killer")
        self._faults.enabled = True
        killer.start()
        try:
            yield
        finally:
            over.set()
            killer.join()
            self._faults.enabled = False

    def _kill_workers(self, over: threading.Event) -> None:
        random = Random(self._seed + 3)
        while not over.wait(random.uniform(0.5, 4.0)):
            worker = random.choice(self._stack.workers)
            with suppress(ProcessLookupError):
                if worker.is_alive():
                    os.kill(worker.pid, signal.SIGKILL)
                    self._report.kills += 1

    def _judge(self, job: Job, plan: Plan, expected: Mapping[str, bytes]) -> None:
        report, job_id = self._report, job["job_id"]
        end = job["error"]["code"] if job["error"] else job["status"]
        report.resumed += job["attempt"] > 1
        if self._client.job(job_id) != job:
            report.duplicated.append(f"{job_id}: it changed after its end")
        if end != plan.end:
            report.unplanned.append(f"{job_id}: {plan.name} ended {end}: {job['error']}")
        elif end != "completed":
            report.failed_by_plan += 1
        else:
            report.completed += 1
            if self._results(job) != expected[plan.name]:
                report.different.append(f"{job_id}: {plan.name}")

    def _job_ids(self) -> set[str]:
        """Every job in the table."""
        table = self._stack.template.resolve({"Ref": "JobsTable"})
        pages = self._stack.aws.client("dynamodb").get_paginator("scan").paginate(TableName=table)
        return {item["job_id"]["S"] for page in pages for item in page["Items"]}

    def _results(self, job: Job) -> bytes:
        bucket = self._stack.template.resolve({"Ref": "MediaBucket"})
        key = f"video_jobs/{job['job_id']}_results.json"
        content: bytes = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return content
