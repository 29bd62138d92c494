"""One schedule: clients, functions and workers on simulated AWS, from one seed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, cast
from uuid import UUID

from aws_lambda_powertools import Logger
from video_jobs.domain.errors import ConflictError, JobNotFoundError, JobStateError, TransientError
from video_jobs.domain.job import Job
from video_jobs.domain.keys import VIDEO_SUFFIX
from video_jobs.ports import JobRepository, QueueService, StorageService, StoredFile
from video_jobs.services.accept_upload import accept_upload
from video_jobs.services.bury_job import JobStillHeldError, bury_job
from video_jobs.services.cancel_job import cancel_job
from video_jobs.services.delete_job import delete_job
from video_jobs.services.reconcile_jobs import reconcile_jobs
from video_jobs.services.retry_job import retry_job
from video_jobs.services.submit_job import SubmitLimits, SubmitOptions, submit_job, submit_video
from video_jobs.settings import WorkerSettings
from video_worker.job_worker import JobWorker, Outcome, WorkerLimits, WorkerPorts

from tools.simulation.analysis import Kind, SimulatedAnalysis, SimulatedVideo
from tools.simulation.faults import Crash, FaultPlan, FaultyPort, Process
from tools.simulation.invariants import MAX_CRASHES, MAX_FAILURES, Invariants
from tools.simulation.scheduler import Scheduler
from tools.simulation.twins import ObservedJobs, ObservedStorage, RedrivingQueue
from tools.simulation.worker_parts import SimulatedHeartbeat, SimulatedStop

FAULTY_S = 2 * 3600
"""Faults stop after this time of a schedule."""

REST_S = 6 * 3600
"""Then everything must end within this time."""

KEEP = timedelta(days=30)
_RECONCILE_EVERY_S = 120
_EXPECTED = (TransientError, ConflictError, JobStillHeldError)
_KINDS = (Kind.GOOD, Kind.GOOD, Kind.GOOD, Kind.GOOD, Kind.BROKEN, Kind.DEADLY, Kind.NO_MP4)
_SETTINGS = WorkerSettings.from_environment(
    {"MODEL_PATH": "none", "LEASE_S": "60", "HEARTBEAT_S": "10", "MAX_FAILURES": str(MAX_FAILURES)}
)


class World:
    """Everything that a schedule consists of.

    Parameters
    ----------
    unconditional
        Transitions whose condition is taken out: a mutation.
    reconciles, deduplicates
        Whether reconcile runs, and whether the queue deduplicates; False is a mutation.
    """

    def __init__(
        self,
        seed: int,
        *,
        unconditional: frozenset[str] = frozenset(),
        reconciles: bool = True,
        deduplicates: bool = True,
    ) -> None:
        self.random = Random(seed)  # noqa: S311 - a seed must give the same schedule again
        self.scheduler = Scheduler()
        self.faults = FaultPlan.of(self.random)
        self.queue = RedrivingQueue(
            self.scheduler,
            self.random.choice((6, 20, 20)),
            duplicates=partial(self.faults.happens, "duplicate message", 0.05),
            deduplicates=deduplicates,
        )
        self.storage = ObservedStorage(self._on_object)
        self.invariants = Invariants(self.storage, self.queue)
        self.jobs = ObservedJobs(self.invariants.on_change, unconditional)
        self.accepted: set[str] = set()
        self._reconciles = reconciles
        self._clients = 0
        self._events = 0
        self._folder: Path
        self._logger = Logger(service="simulation", level=logging.CRITICAL)

    def run(self) -> None:
        """Play the schedule; `invariants` has what went wrong."""
        with TemporaryDirectory(prefix="simulation-", dir=_memory_folder()) as folder:
            self._folder = Path(folder)
            self._spawn_everybody()
            self.scheduler.run_until(FAULTY_S, self._is_over)
            self.faults.enabled = False
            end_s = self.scheduler.now_s + REST_S
            self.scheduler.run_until(end_s, self._is_over)
            if not self.invariants.violations:
                self.invariants.at_rest(self.jobs.all, self.accepted)
            self.scheduler.close()

    @property
    def steps(self) -> list[str]:
        """Every call that took effect, and every fault, in order."""
        return self.faults.steps

    def new_id(self) -> str:
        """A job id (`video_jobs.ports.IdFactory`)."""
        return str(UUID(int=self.random.getrandbits(128), version=4))

    def _spawn_everybody(self) -> None:
        for number in range(self.random.randint(1, 5)):
            self._clients += 1
            self.scheduler.spawn(partial(self._client, number), self.random.uniform(0, 300))
        for number in range(self.random.randint(1, 3)):
            self.scheduler.spawn(partial(self._worker_host, number))
        self.scheduler.spawn(self._bury_dead_letters)
        if self._reconciles:
            self.scheduler.spawn(self._reconcile)
        if self.random.random() < 0.2:
            self.scheduler.spawn(self._jump, self.random.uniform(1, 1000))

    def _is_over(self) -> bool:
        if self.invariants.violations:
            return True
        ended = all(not job.status.is_open for job in self.jobs.all.values())
        return ended and not (self._clients or self._events or self.queue.size() or self.queue.dead_letters)

    # --- clients ------------------------------------------------------------------------------------

    def _client(self, number: int) -> None:
        video = SimulatedVideo(self.random.choice(_KINDS), self.random.randint(1, 10), number)
        key = f"key-{number}" if self.random.random() < 0.7 else None
        options = SubmitOptions(idempotency_key=key)
        if self.random.random() < 0.4:
            job = self._submit(partial(self._submit_body, video, options))
        else:
            job = self._submit(partial(self._submit_json, video, options))
            if self.random.random() < 0.85:
                self._upload(job, video)
        if self.random.random() < 0.3:
            self._change_mind(job.job_id)
        self._clients -= 1

    def _change_mind(self, job_id: str) -> None:
        """Cancel, mostly retry, sometimes delete."""
        self.scheduler.sleep(self.random.uniform(0, 1500))
        self.invariants.cancelled.add(job_id)
        self._ask(lambda process: cancel_job(job_id, "ann", **self._owner_ports(process), keep=KEEP))
        self.scheduler.sleep(self.random.uniform(0, 300))
        if self.random.random() < 0.7:
            self._ask(lambda process: retry_job(job_id, "ann", **self._ports(process), clock=process))
        self.scheduler.sleep(self.random.uniform(0, 1500))
        if self.random.random() < 0.3:
            self.invariants.deleted.add(job_id)
            self._ask(
                lambda process: delete_job(
                    job_id,
                    "ann",
                    **self._owner_ports(process),
                    storage=cast(StorageService, FaultyPort(self.storage, process)),
                    keep=KEEP,
                )
            )

    def _ask(self, ask: Callable[[Process], object]) -> None:
        """Ask until there is an answer, whatever it says."""
        while True:
            try:
                ask(self._process("video_api"))
            except (TransientError, Crash):
                self.scheduler.sleep(self.random.uniform(1, 20))
            except (JobStateError, JobNotFoundError, ConflictError):
                return
            else:
                return

    def _owner_ports(self, process: Process) -> dict[str, Any]:
        return {"jobs": cast(JobRepository, FaultyPort(self.jobs, process)), "clock": process}

    def _submit(self, submit: Callable[[Process], Job]) -> Job:
        """Ask until there is an answer, as a client does."""
        while True:
            try:
                job = submit(self._process("video_api"))
            except (TransientError, Crash):
                self.scheduler.sleep(self.random.uniform(1, 20))
                continue
            self.accepted.add(job.job_id)
            return job

    def _submit_body(self, video: SimulatedVideo, options: SubmitOptions, process: Process) -> Job:
        path = self._folder / "body"
        # the head of a body is looked at before a job is made: what is no MP4 never gets this far
        whole = SimulatedVideo(Kind.BROKEN, 1, 0) if video.kind is Kind.NO_MP4 else video
        path.write_bytes(whole.to_bytes())
        own = path.rename(self._folder / self.new_id())
        return submit_video(own, "ann", options, **self._submit_ports(process))

    def _submit_json(self, video: SimulatedVideo, options: SubmitOptions, process: Process) -> Job:
        size = len(video.to_bytes())
        return submit_job(size, "ann", options, **self._submit_ports(process))[0]

    def _submit_ports(self, process: Process) -> dict[str, Any]:
        limits = SubmitLimits(
            known_pipelines=frozenset({"yolo_ocr"}),
            max_body_bytes=1000,
            max_upload_bytes=1000,
            upload_expires=timedelta(minutes=15),
            part_frames=self.random.randint(1, 4),
        )
        return {
            "jobs": FaultyPort(self.jobs, process),
            "storage": FaultyPort(self.storage, process),
            "clock": process,
            "ids": self,
            "limits": limits,
        }

    def _upload(self, job: Job, video: SimulatedVideo) -> None:
        """Upload once, or twice: the answer was lost, or the client sends something else."""
        self.scheduler.sleep(self.random.uniform(1, 800))
        self.storage.save_bytes(job.input_path, video.to_bytes())
        if self.random.random() < 0.2:
            self.scheduler.sleep(self.random.uniform(0, 60))
            other = SimulatedVideo(self.random.choice(_KINDS), video.frames + 1, video.seed + 1)
            self.storage.save_bytes(job.input_path, other.to_bytes())

    # --- functions ----------------------------------------------------------------------------------

    def _on_object(self, stored: StoredFile) -> None:
        if not stored.key.endswith(VIDEO_SUFFIX) or self.faults.happens("lost event", 0.05):
            return
        copies = 2 if self.faults.happens("duplicate event", 0.1) else 1
        for _ in range(copies):
            late = self.faults.happens("late event", 0.1)
            self._events += 1
            delay_s = self.random.uniform(0, 2000 if late else 3)
            self.scheduler.spawn(partial(self._upload_received, stored), delay_s)

    def _upload_received(self, stored: StoredFile) -> None:
        for _ in range(5):
            process = self._process("upload_received")
            if self._attempt(partial(self._accept, process, stored.key, stored.version)):
                break
            self.scheduler.sleep(self.random.uniform(30, 90))
        self._events -= 1

    def _accept(self, process: Process, key: str, version: str | None = None) -> Job | None:
        return accept_upload(
            key, version, **self._ports(process), clock=process, max_upload_bytes=1000, keep=KEEP
        )

    def _reconcile(self) -> None:
        while True:
            self.scheduler.sleep(_RECONCILE_EVERY_S)
            process = self._process("reconcile")
            self._attempt(
                partial(
                    reconcile_jobs,
                    **self._ports(process),
                    clock=process,
                    accept=partial(self._accept, process),
                    max_crashes=MAX_CRASHES,
                    keep=KEEP,
                )
            )

    def _bury_dead_letters(self) -> None:
        while True:
            self.scheduler.sleep(self.random.uniform(5, 60))
            for letter in list(self.queue.dead_letters):
                process = self._process("dead_letter")
                jobs = cast(JobRepository, FaultyPort(self.jobs, process))
                if self._attempt(partial(bury_job, *letter, jobs=jobs, clock=process, keep=KEEP)):
                    self.queue.dead_letters.remove(letter)

    def _attempt(self, work: Callable[[], Any]) -> bool:
        """Whether an invocation ended well; what failed comes again."""
        try:
            work()
        except (*_EXPECTED, Crash):
            return False
        return True

    # --- workers ------------------------------------------------------------------------------------

    def _worker_host(self, number: int) -> None:
        for life in range(10**9):
            process = self._process(f"worker-{number}-{life}")
            try:
                self._work(process)
            except Crash:
                self.faults.injected["worker restarted"] += 1
            self.scheduler.sleep(self.random.uniform(5, 40))

    def _work(self, process: Process) -> None:
        stop = SimulatedStop(process, grace_s=30)
        worker = JobWorker(
            process.name,
            WorkerPorts(clock=process, **self._ports(process)),
            SimulatedAnalysis(process),
            _SETTINGS,
            WorkerLimits(max_crashes=MAX_CRASHES, keep=KEEP),
            stop,
            self._logger,
            heartbeat_type=partial(SimulatedHeartbeat, process),
            random=self.random,
        )
        while not stop.requested.is_set():
            if self.faults.happens("told to stop", 0.01):
                self.scheduler.spawn(stop.request, self.random.uniform(0, 60))
            try:
                idle = worker.run_once() is Outcome.IDLE
            except _EXPECTED:
                idle = True
            if idle:
                process.sleep(self.random.uniform(5, 30))

    # --- the rest -----------------------------------------------------------------------------------

    def _process(self, name: str) -> Process:
        return Process(name, self.scheduler, self.faults)

    def _ports(self, process: Process) -> dict[str, Any]:
        return {
            "jobs": cast(JobRepository, FaultyPort(self.jobs, process)),
            "storage": cast(StorageService, FaultyPort(self.storage, process)),
            "queue": cast(QueueService, FaultyPort(self.queue, process)),
        }

    def _jump(self) -> None:
        if self.faults.happens("clock jump", 1.0):
            self.scheduler.jump(self.random.uniform(10, 4000))


def _memory_folder() -> str | None:
    """Where Linux keeps files in memory: a simulation writes thousands of tiny ones."""
    folder = Path("/dev/shm")  # noqa: S108 - a temporary folder of its own is made in it # nosec B108
    return str(folder) if folder.is_dir() else None
