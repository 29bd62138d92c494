"""Several workers on one long video: its segments as a simulation needs them, and what must hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from video_jobs.adapters.local.memory_segments import MemorySegmentRepository
from video_jobs.domain.job import Job, JobStatus, Lease
from video_jobs.domain.keys import PART_SUFFIX, PARTS_PREFIX
from video_jobs.domain.parts import fingerprint_id_of, run_id
from video_jobs.domain.segments import MOST_UNCLAIMED, HelpMessage, Segment
from video_jobs.ports import QueueMessage

from tests.proofs.simulation.faults import LARGEST_SKEW_S, Process
from tests.proofs.simulation.scheduler import Scheduler

SOON_S = 40
"""A heartbeat, a frame, and the calls between them, if nothing disturbs the worker."""

OnSegment = Callable[[Segment | None, Segment], None]
_FOREVER = timedelta(days=365)
_SKEW = timedelta(seconds=2 * LARGEST_SKEW_S)


class ObservedSegments(MemorySegmentRepository):
    """Tells of every change of a segment.

    Without ``fenced``, each claim succeeds; without ``ending``, a lease is live for ever.
    """

    def __init__(self, on_change: OnSegment, *, fenced: bool, ending: bool) -> None:
        super().__init__()
        self._on_change = on_change
        self._fenced, self._ending = fenced, ending
        self._claims = False

    def of_run(self, job_id: str, run: str) -> list[Segment]:
        return [one for key, one in self._segments.items() if key[:2] == (job_id, run)]

    def offer(self, segment: Segment, *, now: datetime) -> None:
        offered = replace(segment, lease=self._seen(segment.lease))
        super().offer(offered, now=now)
        self._on_change(None, offered)

    def claim(self, segment: Segment, **how: Any) -> Segment:
        self._claims = True
        try:
            return super().claim(segment, **how)
        finally:
            self._claims = False

    def _known(self, key: tuple[str, str, int]) -> Segment:
        known = super()._known(key)
        return replace(known, lease=None) if self._claims and not self._fenced else known

    def _change(self, known: Segment, **values: Any) -> Segment:
        before = self._segments[known.job_id, known.run_id, known.number]
        if "lease" in values:
            values["lease"] = self._seen(values["lease"])
        after = super()._change(known, **values)
        self._on_change(before, after)
        return after

    def _seen(self, lease: Lease | None) -> Lease | None:
        return (
            lease if lease is None or self._ending else replace(lease, expires_at=lease.expires_at + _FOREVER)
        )


class HelpInvariants:
    """Looks at who stores which part, and at the messages that ask for help.

    Attributes
    ----------
    require
        Told whether something holds: the id of the job, and the sentence if it does not.
    releases
        The fingerprint of each worker.
    seen
        How often help was asked for, and what became of it.
    """

    def __init__(self, scheduler: Scheduler, require: Callable[[bool, str, str], None]) -> None:
        self._scheduler, self._require = scheduler, require
        self.segments: ObservedSegments
        self.releases: dict[str, str] = {}
        self.seen: Counter[str] = Counter()
        self._running: dict[str, tuple[str, str]] = {}
        self._fingerprints: dict[str, str] = {}
        self._ended: dict[tuple[str, str], float] = {}
        self._was_held: dict[tuple[str, str, str], float] = {}
        self._robbed: set[tuple[str, str, str]] = set()
        self._jumped_s = 0.0

    def on_jump(self) -> None:
        self._jumped_s = self._scheduler.now_s

    def on_job(self, before: Job, after: Job) -> None:
        """Note who holds a job, and which run is computed."""
        old, new = _running(before), _running(after)
        if new is not None:
            self._fingerprints[new[0]] = fingerprint_id_of(after) or ""
            self._ended.pop((after.job_id, new[0]), None)
        if old is not None and old != new:
            self._was_held[after.job_id, "", old[1]] = self._scheduler.now_s
            if new is None or old[0] != new[0]:
                self._ended[after.job_id, old[0]] = self._scheduler.now_s
        self._running.pop(after.job_id, None)
        if new is not None:
            self._running[after.job_id] = new

    def on_segment(self, before: Segment | None, after: Segment) -> None:
        """Note who has lost a segment, and whether it was taken from him."""
        self._count(before, after)
        unanswered = [one for one in self.segments.of_run(after.job_id, after.run_id) if _is_open(one)]
        self._require(len(unanswered) <= MOST_UNCLAIMED, after.job_id, "too many messages ask for help")
        old = None if before is None else before.lease
        if old is None or (after.lease is not None and after.lease.worker_id == old.worker_id):
            return
        key = (after.run_id, str(after.number), old.worker_id)
        self._was_held[key] = self._scheduler.now_s
        if after.lease is not None and old.expires_at > self._scheduler.now() + _SKEW:
            self._robbed.add(key)

    def on_call(self, process: Process, name: str, args: tuple[Any, ...]) -> None:
        """A message that asks for help is acknowledged before anything else, and never returned."""
        message = args[0] if args and isinstance(args[0], QueueMessage) else None
        asked = None if message is None else HelpMessage.of_body(message.body)
        if asked is not None:
            self._require(name == "acknowledge", asked.job_id, f"a message that asks for help was {name}ed")
        if process.owes is not None:
            owed, process.owes = process.owes, None
            self._require(message == owed, owed.body, f"{name} came before the message was acknowledged")

    def on_answer(self, process: Process, name: str, args: tuple[Any, ...], answer: Any) -> None:
        """Look at the messages and the parts."""
        if name == "dequeue" and answer is not None and HelpMessage.of_body(answer.body):
            process.owes = answer
        elif name == "save_file" and args[0].startswith(PARTS_PREFIX) and args[0].endswith(PART_SUFFIX):
            _, job_id, run, file = args[0].split("/")
            self._on_part(process, job_id, run, int(file.partition(".")[0]))

    def on_dead_letter(self, body: str) -> None:
        self._require(HelpMessage.of_body(body) is None, body, "help became a dead letter")

    def _on_part(self, process: Process, job_id: str, run: str, part: int) -> None:
        me, fingerprint = process.name, self._fingerprints[run]
        self._require(self.releases[me] == fingerprint, job_id, f"{me} stored a part of {fingerprint}")
        if self._running.get(job_id) == (run, me):
            return
        ended = self._ended.get((job_id, run))
        self._require(self._is_soon(process, ended), job_id, f"{me} went on after the end of the run")
        covering = [one for one in self.segments.of_run(job_id, run) if part in one.parts]
        if any(one.lease is not None and one.lease.worker_id == me for one in covering):
            self.seen["parts stored by helpers"] += 1
            return
        keys = [(run, str(one.number), me) for one in covering]
        robbed = any(key in self._robbed for key in keys)
        self._require(not robbed, job_id, f"{me} stored part {part} of a segment that was taken from it")
        times = [self._was_held.get(key) for key in (*keys, (job_id, "", me))]
        had = [time for time in times if time is not None]
        is_late = not had or not self._is_soon(process, max(had))
        self._require(not is_late, job_id, f"{me} stored part {part}, but does not hold its segment")

    def _is_soon(self, process: Process, lost_s: float | None) -> bool:
        """Whether a worker may not know yet what happened at a time."""
        if lost_s is None:
            return True
        known_s = max(lost_s, process.disturbed_until_s, self._jumped_s)
        return self._scheduler.now_s <= known_s + SOON_S

    def _count(self, before: Segment | None, after: Segment) -> None:
        if before is None:
            self.seen["segments asked for" if after.is_asked else "segments of the holder's own"] += 1
        elif after.claims > before.claims:
            holds = self._running.get(after.job_id, ("", ""))[1]
            mine = after.lease is not None and after.lease.worker_id == holds
            self.seen["claimed by the holder" if mine else "claimed by a helper"] += 1
            self.seen["taken over by the holder"] += mine and before.lease is not None
        elif after.is_done and not before.is_done:
            self.seen["done"] += 1


def _running(job: Job) -> tuple[str, str] | None:
    """The run of a job that runs, and its holder."""
    if job.status is not JobStatus.RUNNING or job.worker_id is None:
        return None
    return run_id(job, fingerprint_id_of(job) or ""), job.worker_id


def _is_open(segment: Segment) -> bool:
    return segment.is_asked and not segment.is_answered
