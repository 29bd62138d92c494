"""Run jobs while workers are killed and the network fails, and look at what became of them."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from tools.chaos.client import PatientClient
from tools.chaos.plans import Plan, make_plans, pick
from tools.chaos.proxy import Faults, FaultyProxy
from tools.local_stack.stack import LocalStack

REFERENCE_JOBS = 20
"""The undisturbed run has at most so many jobs; times are compared a job."""

_CLIENTS = 4
_JOB_TIMEOUT_S = 240
_PATIENT = {"MAX_CRASHES": "1000", "PART_FRAMES": "4", "AWS_MAX_ATTEMPTS": "2"}
_WORKER = {"LEASE_S": "4", "HEARTBEAT_S": "1", "MAX_FAILURES": "1000", "RETRY_DELAY_S": "0"}


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
        return not (self.unplanned or self.lost or self.duplicated or self.different)

    @property
    def overhead(self) -> float:
        """Time a job took here, over the time it took undisturbed."""
        return self.seconds / max(1, self.accepted) / self.seconds_a_job_undisturbed

    def lines(self) -> Iterator[str]:
        """The report as text."""
        yield f"jobs accepted           {self.accepted}"
        yield f"  completed             {self.completed}"
        yield f"  failed by plan        {self.failed_by_plan}"
        yield f"  failed otherwise      {len(self.unplanned)}"
        yield f"lost                    {len(self.lost)}"
        yield f"duplicated              {len(self.duplicated)}"
        yield f"different results       {len(self.different)}"
        yield f"taken over or retried   {self.resumed}"
        yield f"workers killed          {self.kills} (restarted {self.restarts})"
        yield f"faults injected         {self.faults.total()}"
        yield from (f"  {kind:<22}{count}" for kind, count in self.faults.most_common())
        yield (
            f"time                    {self.seconds:.0f} s; a job took {self.overhead:.1f} times as long as "
            f"in an undisturbed run of at most {REFERENCE_JOBS} jobs"
        )
        for title in ("unplanned", "lost", "duplicated", "different"):
            yield from (f"{title}: {sentence}" for sentence in getattr(self, title))


def run_kill_test(jobs: int, workers: int, seed: int, model: Path, log_file: Path) -> KillTestReport:
    """Run ``jobs`` jobs under fire.

    The limits on crashes and failures of one job are raised far above what the test inflicts, so that
    no rule fails a good job; leases are short, so that a killed worker's job is taken over soon.
    """
    random = Random(seed)  # noqa: S311 - a seed must give the same jobs again
    faults = Faults(Random(seed + 1))  # noqa: S311
    stack = LocalStack(
        log_file=log_file,
        workers=workers,
        worker_settings={"MODEL_PATH": str(model), **_PATIENT, **_WORKER},
        function_settings=_PATIENT,
        aws_proxy=partial(FaultyProxy, faults=faults),
    )
    with stack:
        stack.wait_until_ready()
        return _KillTest(stack, faults, random, seed).run(jobs)


class _KillTest:
    def __init__(self, stack: LocalStack, faults: Faults, random: Random, seed: int) -> None:
        self._stack = stack
        self._faults = faults
        self._random = random
        self._seed = seed
        self._client = PatientClient(stack.url)
        self._s3 = stack.aws.client("s3")
        self._bucket = stack.template.resolve({"Ref": "MediaBucket"})
        self._report = KillTestReport(faults=faults.injected)
        self._keys = iter(range(10**9))

    def run(self, count: int) -> KillTestReport:
        self._hurry_redelivery()
        expected = self._results_undisturbed()
        self._measure_undisturbed(min(count, REFERENCE_JOBS))
        plans = list(pick(self._random, count))
        started = time.monotonic()
        with self._under_fire():
            accepted = self._submit(plans)
            ended = self._wait_for_all(accepted)
        self._report.seconds = time.monotonic() - started
        self._judge(accepted, ended, expected)
        self._report.restarts = sum(worker.restarts for worker in self._stack.workers)
        return self._report

    def _hurry_redelivery(self) -> None:
        """A failed upload event comes again after seconds, not minutes."""
        url = self._stack.template.resolve({"Ref": "UploadsQueue"})
        self._stack.aws.client("sqs").set_queue_attributes(
            QueueUrl=url, Attributes={"VisibilityTimeout": "3"}
        )

    def _results_undisturbed(self) -> Mapping[str, bytes]:
        """The bytes that each good kind of job must give."""
        plans = {plan.name: plan for plan in make_plans() if plan.end == "completed"}
        accepted = self._submit(list(plans.values()))
        ended = self._wait_for_all(accepted)
        return {plan.name: self._results(ended[job_id]) for job_id, plan in accepted.items()}

    def _measure_undisturbed(self, count: int) -> None:
        started = time.monotonic()
        self._wait_for_all(self._submit(list(pick(Random(self._seed + 2), count))))  # noqa: S311
        self._report.seconds_a_job_undisturbed = (time.monotonic() - started) / count
        self._known = self._job_ids()

    def _submit(self, plans: list[Plan]) -> dict[str, Plan]:
        def submit(plan: Plan) -> tuple[str, Plan]:
            return self._client.submit(plan, f"{self._seed}-{next(self._keys)}"), plan

        with ThreadPoolExecutor(_CLIENTS) as clients:
            return dict(clients.map(submit, plans))

    def _wait_for_all(self, accepted: Mapping[str, Plan]) -> dict[str, dict[str, Any]]:
        """Each job as it ended; those that never did are missing."""
        ended: dict[str, dict[str, Any]] = {}
        gives_up_at = time.monotonic() + _JOB_TIMEOUT_S + len(accepted)
        while len(ended) < len(accepted) and time.monotonic() < gives_up_at:
            for job_id in accepted.keys() - ended.keys():
                job = self._client.status(job_id)
                if job["status"] in ("completed", "failed"):
                    ended[job_id] = job
            time.sleep(0.2)
        return ended

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
        random = Random(self._seed + 3)  # noqa: S311
        while not over.wait(random.uniform(0.5, 4.0)):
            worker = random.choice(self._stack.workers)
            with suppress(ProcessLookupError):
                if worker.is_alive():
                    os.kill(worker.pid, signal.SIGKILL)
                    self._report.kills += 1

    def _judge(
        self,
        accepted: Mapping[str, Plan],
        ended: Mapping[str, dict[str, Any]],
        expected: Mapping[str, bytes],
    ) -> None:
        report = self._report
        report.accepted = len(accepted)
        report.lost = sorted(accepted.keys() - ended.keys())
        strangers = self._job_ids() - self._known - accepted.keys()
        report.duplicated = sorted(f"{job_id}: nobody asked for it" for job_id in strangers)
        for job_id, job in ended.items():
            plan = accepted[job_id]
            code = job["error"]["code"] if job["error"] else job["status"]
            report.resumed += job["attempt"] > 1
            if self._client.status(job_id) != job:
                report.duplicated.append(f"{job_id}: it changed after its end")
            if code != plan.end:
                report.unplanned.append(f"{job_id}: {plan.name} ended {code}: {job['error']}")
            elif code != "completed":
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

    def _results(self, job: Mapping[str, Any]) -> bytes:
        key = f"video_jobs/{job['job_id']}_results.json"
        content: bytes = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        return content
