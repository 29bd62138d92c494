"""Processes that may die at any call, and calls that may fail before or after they took effect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, Protocol

from video_jobs.domain.changes import Change
from video_jobs.domain.errors import TransientError
from video_jobs.domain.segments import Segment
from video_jobs.ports import QueueMessage

from tests.proofs.simulation.scheduler import Scheduler

_USUAL_LATENCY_S = 0.2
_STALL_S = (20.0, 200.0)
LARGEST_SKEW_S = 3.0


class Crash(BaseException):
    """The process dies here."""


@dataclass
class FaultPlan:
    """How likely each fault is at a call, and how often each happened.

    Without ``enabled`` everything can come to rest; ``steps`` lists the calls that took effect and the
    faults, in order.
    """

    random: Random
    crash: float = 0.0
    error: float = 0.0
    lost_answer: float = 0.0
    stall: float = 0.0
    injected: Counter[str] = field(default_factory=Counter)
    enabled: bool = True
    steps: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, random: Random) -> FaultPlan:
        """A plan for one schedule: each kind of fault is absent, rare or frequent."""
        crash, error, lost_answer, stall = (random.choice((0.0, 0.01, 0.06)) for _ in range(4))
        return cls(random, crash, error, lost_answer, stall / 2)

    def happens(self, kind: str, probability: float) -> bool:
        if not self.enabled or self.random.random() >= probability:
            return False
        self.injected[kind] += 1
        self.steps.append(f"  ! {kind}")
        return True


class Watch(Protocol):
    """Sees the calls of a process: when it makes one, and when that took effect."""

    def on_call(self, process: Process, name: str, args: tuple[Any, ...]) -> None: ...

    def on_answer(self, process: Process, name: str, args: tuple[Any, ...], answer: Any) -> None: ...


class Process:
    """A machine's process: its own clock, and all of its actors die together.

    Attributes
    ----------
    disturbed_until_s
        When its last fault so far is over; until then it may not know what others know.
    owes
        A message that it received, and must acknowledge next.
    """

    def __init__(self, name: str, scheduler: Scheduler, faults: FaultPlan, watch: Watch) -> None:
        self.name, self.scheduler, self.faults, self.watch = name, scheduler, faults, watch
        self.is_alive = True
        self.disturbed_until_s = 0.0
        self.owes: QueueMessage | None = None
        self._skew = timedelta(seconds=faults.random.uniform(-LARGEST_SKEW_S, LARGEST_SKEW_S))

    def now(self) -> datetime:
        """The time as this machine sees it (`video_jobs.ports.Clock`)."""
        return self.scheduler.now() + self._skew

    def sleep(self, seconds: float) -> None:
        self.scheduler.sleep(seconds)
        if not self.is_alive:
            raise Crash

    def die(self) -> None:
        """End here, and every other actor of this process where it is."""
        self.is_alive = False
        raise Crash

    def step(self, kind: str) -> None:
        """Some time passes, or very much; the process may die."""
        self.sleep(self.faults.random.uniform(0.001, _USUAL_LATENCY_S))
        if self.faults.happens("stall", self.faults.stall):
            lasts_s = self.faults.random.uniform(*_STALL_S)
            self.disturb(lasts_s)
            self.sleep(lasts_s)
        if self.faults.happens(f"crash {kind}", self.faults.crash):
            self.die()

    def disturb(self, lasts_s: float = 0.0) -> None:
        """Note that something keeps this process from its work or from AWS."""
        self.disturbed_until_s = max(self.disturbed_until_s, self.scheduler.now_s + lasts_s)


class FaultyPort:
    """A port as one process reaches it over the network."""

    def __init__(self, port: object, process: Process) -> None:
        self._port, self._process = port, process

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._port, name)
        process, faults = self._process, self._process.faults

        def call(*args: Any, **options: Any) -> Any:
            process.watch.on_call(process, name, args)
            process.step("before a call")
            if faults.happens("error", faults.error):
                process.disturb()
                raise TransientError(f"{name} did not answer")
            result = method(*args, **options)
            faults.steps.append(f"{process.scheduler.now_s:10.2f}  {process.name:<20} {name}{_told(args)}")
            process.watch.on_answer(process, name, args, result)
            process.step("after a call")
            if faults.happens("lost answer", faults.lost_answer):
                process.disturb()
                process.owes = None
                raise TransientError(f"the answer of {name} was lost")
            return result

        return call


def _told(args: tuple[Any, ...]) -> str:
    """The arguments that name a job or say what is done to it."""
    return "".join(f" {word}" for word in map(_word, args) if isinstance(word, str | int))


def _word(arg: Any) -> Any:
    match arg:
        case Change():
            return f"{arg.job_id} {arg.action}"
        case Segment():
            return f"{arg.job_id} segment {arg.number}"
        case QueueMessage():
            return arg.body
    return arg
