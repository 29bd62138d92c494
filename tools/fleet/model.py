"""The service in simulated time (SimPy): the real `plan_fleet` and the real rules, and modelled workers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import NamedTuple

import simpy
from video_jobs.domain.fleet import FleetDecision, FleetLimits, Workload, plan_fleet
from video_jobs.domain.rules import Rules
from video_jobs.domain.segments import MOST_UNCLAIMED, help_share

from tools.fleet.figures import Figures, figures
from tools.fleet.jobs import Help, Job, Run
from tools.fleet.queue import Queue
from tools.fleet.turns import Turns
from tools.fleet.workers import Steps, Worker

_MINUTE_S = 60.0
_LONGEST_S = 30 * 86400.0
_START = datetime(2026, 1, 1, tzinfo=UTC)
_STALE, _MISSING = 0.2, 0.02
"""SQS's numbers are approximate: every fifth is that of the minute before, every fiftieth is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """The rules of a run.

    Attributes
    ----------
    has_turns, has_help
        Whether owners take turns, and whether workers help each other. Before, there was neither.
    running_per_owner
        As in `Rules`; None is the default, which is the largest number of workers.
    fixed_workers, fixed_start_s
        So many workers instead of `plan_fleet`, and how long they take to start.
    first_workers
        So many workers that are there, and ready, when the simulation begins.
    window_s
        The run ends after this, whatever goes on then; None: when all is done.
    machine_hours
        How long a Spot machine lives on average; None for On-Demand.
    """

    limits: FleetLimits = field(default_factory=FleetLimits)
    has_turns: bool = True
    has_help: bool = True
    running_per_owner: int | None = None
    fixed_workers: int | None = None
    fixed_start_s: float = 0.0
    first_workers: int = 0
    window_s: float | None = None
    machine_hours: float | None = None
    figures: Figures = field(default_factory=figures)
    seed: int = 0

    @property
    def most_sent(self) -> int:
        """So many messages of an owner are in the queue at most."""
        return self.running_per_owner or self.fixed_workers or self.limits.most


class Sample(NamedTuple):
    """What was seen in a minute."""

    at_s: float
    workers: int
    busy: int
    waiting: int
    open_jobs: int


class FleetModel:
    """One run; `run` plays it to its end.

    Attributes
    ----------
    worker_s
        How long workers existed, added up.
    """

    def __init__(self, jobs: Sequence[Job], policies: Policies) -> None:
        self.env = simpy.Environment()
        self.queue = Queue(self.env)
        self.policies, self.figures = policies, policies.figures
        self.turns = Turns(policies.most_sent if policies.has_turns else None)
        self.jobs = sorted(jobs, key=lambda job: job.arrives_s)
        self.workers: dict[Worker, None] = {}
        self.samples: list[Sample] = []
        self.worker_s = 0.0
        self.started = 0
        self._open = 0
        self._arrived = 0
        self._decision = FleetDecision()
        self._waiting_before = 0
        names = ("starts", "numbers", "machines")
        self._starts, self._numbers, self._machines = (Random(f"{name} {policies.seed}") for name in names)

    def run(self) -> FleetModel:
        """Play until the last job has ended and, unless their number is fixed, the last worker is gone."""
        fixed, first = self.policies.fixed_workers, self.policies.first_workers
        for _ in range(fixed or first):
            self._start(self.policies.fixed_start_s)
        self.env.process(self._arrivals())
        if fixed is None:
            self._decision = FleetDecision(workers=first)
            self.env.process(self._each_minute())
        self.env.run(self.policies.window_s)
        end_s = self.policies.window_s or max((job.ended_s for job in self.jobs), default=0.0)
        self.worker_s += sum(end_s - worker.asked_s for worker in self.workers)
        return self

    def begin_asking(self, job: Job, run: Run) -> None:
        """The holder has opened the video; from now on it asks for help, if enough parts are left."""
        run.is_held = True
        run.asks = self.policies.has_help and run.free >= Rules.help_from_parts
        if run.asks:
            self._ask(job, run)

    def answered(self, job: Job, run: Run) -> None:
        """A worker has received a message that asked for help; soon the holder sees it and asks again."""
        run.unclaimed -= 1
        if run.asks and not run.is_looking and run.free:
            run.is_looking = True
            self.env.process(self._look(job, run))

    def arrived(self, job: Job) -> None:
        """A video is there; nothing is done with it yet."""

    def end(self, job: Job) -> None:
        """A job has ended; the next one of its owner is sent."""
        job.end(self.env.now)
        self._open -= 1
        if waiting := self.turns.end(job.owner):
            self.queue.put(waiting)

    def remove(self, worker: Worker) -> None:
        """A worker has ended."""
        del self.workers[worker]
        self.worker_s += self.env.now - worker.asked_s

    def _look(self, job: Job, run: Run) -> Steps:
        yield self.env.timeout(self.figures.look_s)
        run.is_looking = False
        if run.is_held:
            self._ask(job, run)

    def _ask(self, job: Job, run: Run) -> None:
        share = MOST_UNCLAIMED
        if self.turns.most is not None:
            share = help_share(self.turns.most, self.turns.sent[job.owner])
        while run.unclaimed < min(share, run.free):
            run.unclaimed += 1
            self.queue.put(Help(job))

    def _arrivals(self) -> Steps:
        for job in self.jobs:
            if job.arrives_s > self.env.now:
                yield self.env.timeout(job.arrives_s - self.env.now)
            self.arrived(job)
            self._open += 1
            self._arrived += 1
            if self.turns.accept(job):
                self.queue.put(job)
            if self.policies.fixed_workers is None and not self._decision.workers:
                self._decision = FleetDecision(workers=1, raised_at=self._now())
                self._resize()

    def _each_minute(self) -> Steps:
        """What `ReconcileFunction` does."""
        while self._open or self._arrived < len(self.jobs) or self.workers:
            self._decision = plan_fleet(self._seen(), self._decision, self.policies.limits, self._now())
            self._resize()
            if self.env.now > _LONGEST_S:
                raise RuntimeError("A job or a worker never ends")
            busy = sum(worker.message is not None for worker in self.workers)
            waiting = len(self.queue.messages) + self.turns.waiting
            self.samples.append(Sample(self.env.now, len(self.workers), busy, waiting, self._open))
            yield self.env.timeout(_MINUTE_S)

    def _now(self) -> datetime:
        return _START + timedelta(seconds=self.env.now)

    def _seen(self) -> Workload:
        held = sum(worker.message is not None for worker in self.workers)
        arrived = [self.queue.oldest_s(), self.turns.oldest_s()]
        oldest_s = min((one for one in arrived if one is not None), default=self.env.now)
        oldest_wait = timedelta(seconds=self.env.now - oldest_s)
        return Workload(
            waiting=self._waiting(), held=held, oldest_wait=oldest_wait, in_table=self.turns.waiting
        )

    def _waiting(self) -> int | None:
        """The number of messages as SQS tells it."""
        waiting = len(self.queue.messages)
        before, self._waiting_before = self._waiting_before, waiting
        kind = self._numbers.random()
        if kind < _MISSING:
            return None
        return before if kind < _MISSING + _STALE else waiting

    def _resize(self) -> None:
        """What ECS does: it starts workers, and stops those that are too many, but only idle ones."""
        while len(self.workers) < self._decision.workers:
            self._start(self.figures.start_s)
        spare = len(self.workers) - self._decision.workers
        for worker in [one for one in reversed(self.workers) if one.is_idle][: max(0, spare)]:
            worker.dismiss()

    def _start(self, start_s: float) -> None:
        start_s *= self._starts.uniform(0.8, 1.2)
        worker = Worker(self, start_s)
        self.workers[worker] = None
        self.started += 1
        if (hours := self.policies.machine_hours) is not None:
            lives_s = start_s + self._machines.expovariate(1 / (3600 * hours))
            self.env.process(self._take_away(worker, lives_s))

    def _take_away(self, worker: Worker, lives_s: float) -> Steps:
        """Spot takes a machine; the service starts another worker in its place."""
        yield self.env.timeout(lives_s)
        if worker.process.is_alive:
            worker.process.interrupt()
