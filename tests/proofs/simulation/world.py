"""One schedule: clients, functions and workers on simulated AWS, from one seed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch
from uuid import UUID

from aws_lambda_powertools import Logger
from video_jobs.adapters.local.memory_accounts import MemoryAccounts
from video_jobs.adapters.local.memory_metrics import MemoryMetrics
from video_jobs.adapters.local.memory_notify import MemoryEventBus, MemoryWebhookQueue, MemoryWebhookSecrets
from video_jobs.adapters.local.memory_speeds import MemorySpeedRepository
from video_jobs.adapters.local.memory_uploads import MemoryMultipartUploads
from video_jobs.application import VideoJobs
from video_jobs.bindings import Ports
from video_jobs.domain.changes import Change
from video_jobs.domain.errors import ConflictError, TransientError
from video_jobs.domain.formats import NEWEST_FORMAT
from video_jobs.domain.job import Job
from video_jobs.domain.rules import Rules
from video_jobs.use_cases import fetch_turn
from video_jobs.use_cases.upkeep import JobStillHeldError

from tests.proofs.simulation.clients import Client
from tests.proofs.simulation.faults import Crash, FaultPlan, FaultyPort, Process
from tests.proofs.simulation.functions import Functions, Receiver
from tests.proofs.simulation.help import HelpInvariants, ObservedSegments
from tests.proofs.simulation.invariants import MAX_CRASHES, SOURCE_LIMIT, Invariants
from tests.proofs.simulation.scheduler import Scheduler
from tests.proofs.simulation.sources import (
    CHUNK_BYTES,
    SimulatedFetches,
    SimulatedReader,
    SimulatedServers,
)
from tests.proofs.simulation.twins import ObservedJobs, ObservedStorage, RedrivingQueue
from tests.proofs.simulation.workers import WorkerHost

FAULTY_S = 2 * 3600
REST_S = 6 * 3600
"""After `FAULTY_S` faults stop, and everything must end within `REST_S`."""

NEVER = 10**6
"""No video has so many parts."""

RULES = Rules(
    known_pipelines=frozenset({"yolo_ocr"}),
    max_body_bytes=1000,
    max_upload_bytes=1000,
    max_crashes=MAX_CRASHES,
    webhook_attempts=3,
    source_limit=SOURCE_LIMIT,
    keep=timedelta(days=30),
)
EXPECTED = (TransientError, ConflictError, JobStillHeldError)
_FOLDER = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Where Linux keeps files in memory: a simulation writes thousands of tiny ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Which rules hold; to take one out shows what it is for.

    Attributes
    ----------
    unconditional
        Changes of jobs whose condition is taken out.
    reconciles, deduplicates
        Whether reconcile runs, and whether the queue deduplicates.
    fenced, ending, fingerprints
        Whether a claim of a segment needs it to be free, whether leases of segments end, and whether helpers
        of other releases decline.
    """

    unconditional: Collection[str] = ()
    reconciles: bool = True
    deduplicates: bool = True
    fenced: bool = True
    ending: bool = True
    fingerprints: bool = True


class World:
    """Everything that a schedule consists of.

    Attributes
    ----------
    longer
        How many times as long as usual videos are.
    turns
        How many jobs of the owner may be sent at once.
    """

    def __init__(self, seed: int, kept: Kept = Kept()) -> None:
        self.kept = kept
        self.random = Random(seed)
        self._help_from_parts = Random(f"help {seed}").choice((2, 3, 4, 6, NEVER, NEVER))
        self.longer = 1 if self._help_from_parts == NEVER else 3
        self.scheduler = Scheduler()
        self.faults = FaultPlan.of(self.random)
        self.queue = RedrivingQueue(
            self.scheduler,
            self.random.choice((6, 20, 20)),
            duplicates=partial(self.faults.happens, "duplicate message", 0.05),
            deduplicates=kept.deduplicates,
        )
        self.functions = Functions(self)
        self.storage = ObservedStorage(self.functions.on_object)
        self.uploads = MemoryMultipartUploads(self.storage)
        self.servers = SimulatedServers()
        self.fetches = SimulatedFetches(self.faults, self.functions.on_fetch)
        self.turns = self.random.choice((1, 1, 2, 4))
        self.accounts = MemoryAccounts()
        self.invariants = Invariants(self.storage, self.queue, self.servers, self.accounts, self.turns)
        self.helped = HelpInvariants(self.scheduler, self.invariants.require)
        self.segments = ObservedSegments(self.helped.on_segment, fenced=kept.fenced, ending=kept.ending)
        self.helped.segments = self.segments
        self.queue.send_help = self.functions.on_help
        self.queue.on_dead_letter = self.helped.on_dead_letter
        self.jobs = ObservedJobs(
            self.accounts, self._on_change, self.invariants.on_delete, kept.unconditional
        )
        self.receiver = Receiver(self.faults, self.invariants.called)
        self.webhooks = MemoryWebhookQueue()
        self.speeds = MemorySpeedRepository()
        self.accepted: set[str] = set()
        self.busy = 0
        """Clients and events that still have something to do."""
        self.folder: Path
        self.logger = Logger(service="simulation", level=logging.CRITICAL)

    def run(self) -> None:
        """Play the schedule; `invariants` has what went wrong."""
        chunks = patch.multiple(fetch_turn, chunk_bytes_of=lambda _: CHUNK_BYTES, MIN_BYTES_PER_S=0)
        with chunks, TemporaryDirectory(prefix="simulation-", dir=_FOLDER) as folder:
            self.folder = Path(folder)
            self._spawn_everybody()
            self.scheduler.run_until(FAULTY_S, self._is_over)
            self.faults.enabled = False
            self.invariants.is_calm = True
            self.scheduler.run_until(self.scheduler.now_s + REST_S, self._is_over)
            if not self.invariants.violations:
                self.invariants.at_rest(self.jobs.all, self.accepted)
            self.scheduler.close()

    def new_id(self) -> str:
        """A job id (`video_jobs.ports.IdFactory`)."""
        return str(UUID(int=self.random.getrandbits(128), version=4))

    def process(self, name: str) -> Process:
        return Process(name, self.scheduler, self.faults, self.helped)

    def app(self, process: Process) -> VideoJobs:
        """The application as one process reaches AWS; jobs of each app have parts of their own length."""

        def reached(port: object) -> Callable[[], Any]:
            return partial(FaultyPort, port, process)

        ports = Ports(
            clock=lambda: process,
            ids=lambda: self,
            jobs=reached(self.jobs),
            accounts=reached(self.accounts),
            storage=reached(self.storage),
            uploads=reached(self.uploads),
            fetches=reached(self.fetches),
            source_reader=lambda: SimulatedReader(process, self.servers),
            queue=reached(self.queue),
            segments=reached(self.segments),
            webhooks=reached(self.webhooks),
            events=reached(MemoryEventBus()),
            webhook_transport=reached(self.receiver),
            webhook_secrets=reached(MemoryWebhookSecrets({"ann": "whsec_c2VjcmV0"})),
            metrics=MemoryMetrics,
            speeds=reached(self.speeds),
        )
        rules = replace(
            RULES,
            part_frames=self.random.randint(1, 4),
            running_per_owner=self.turns,
            help_from_parts=self._help_from_parts,
        )
        return VideoJobs(ports, rules)

    def attempt(self, work: Callable[[], Any]) -> bool:
        """Whether an invocation ended well; what failed comes again."""
        try:
            work()
        except (*EXPECTED, Crash):
            return False
        return True

    def _on_change(self, before: Job, change: Change, after: Job) -> None:
        self.invariants.on_change(before, change, after)
        self.invariants.on_turns(before, self.jobs.all, self.scheduler.now_s)
        self.helped.on_job(before, after)
        self.functions.on_change(before, after)

    def _spawn_everybody(self) -> None:
        for number in range(self.random.randint(1, 5)):
            self.busy += 1
            self.scheduler.spawn(Client(self, number).run, self.random.uniform(0, 300))
        for number in range(self.random.randint(1, 3) + (self.longer > 1)):
            is_new = number == 0 or self.random.random() < 0.5
            understands = NEWEST_FORMAT if is_new else NEWEST_FORMAT - 1
            self.scheduler.spawn(WorkerHost(self, f"worker-{number}", understands).run)
        self.scheduler.spawn(self.functions.bury_dead_letters)
        self.scheduler.spawn(self.functions.deliver_webhooks)
        if self.kept.reconciles:
            self.scheduler.spawn(self.functions.reconcile)
        if self.random.random() < 0.2:
            self.scheduler.spawn(self._jump, self.random.uniform(1, 1000))

    def _is_over(self) -> bool:
        if self.invariants.violations:
            return True
        ended = all(not job.status.is_open for job in self.jobs.all.values())
        waiting = self.queue.size() or self.queue.dead_letters or self.webhooks.sent
        return ended and not (self.busy or waiting)

    def _jump(self) -> None:
        if self.faults.happens("clock jump", 1.0):
            self.scheduler.jump(self.random.uniform(10, 4000))
            self.helped.on_jump()
