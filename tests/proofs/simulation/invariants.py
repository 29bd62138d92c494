"""What must hold after every step of a simulation, and when it has come to rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from video_jobs.adapters.local.memory_accounts import MemoryAccounts
from video_jobs.domain.accounts import counted
from video_jobs.domain.changes import Change
from video_jobs.domain.job import ALLOWED_TRANSITIONS, DeliveryState, Job, JobStatus, Source
from video_jobs.domain.turns import bytes_awaited
from video_jobs.use_cases import fetch_turn, sources

from tests.proofs.simulation.analysis import Kind, SimulatedVideo
from tests.proofs.simulation.sources import SimulatedServers
from tests.proofs.simulation.twins import ObservedStorage, RedrivingQueue
from tests.support.stored_files import files_of

MAX_CRASHES = 5
SOURCE_LIMIT = timedelta(hours=3)
MAX_FAILURES = 3
LONGEST_IDLE_S = 1200.0
"""Without faults a free turn is given when reconcile next looks at a waiting job."""


@dataclass
class Invariants:
    """Looks at every change of every job.

    A correct service leaves ``violations`` empty. The actors say what they do: ``cancelled`` and ``deleted``
    are the jobs whose owner asked for that, ``formats`` has the newest job format that each worker
    understands, and ``called`` the ends (job and generation) that a receiver was told of. The owner has so
    many ``turns``.
    """

    storage: ObservedStorage
    queue: RedrivingQueue
    servers: SimulatedServers
    accounts: MemoryAccounts
    turns: int
    violations: list[str] = field(default_factory=list)
    changes: Counter[str] = field(default_factory=Counter)
    cancelled: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    formats: dict[str, int] = field(default_factory=dict)
    called: set[tuple[str, int]] = field(default_factory=set)
    is_calm: bool = False
    idle_since_s: float | None = None

    def on_change(self, before: Job, change: Change, after: Job) -> None:
        self.changes[f"{change.action}: {before.status} -> {after.status}"] += 1
        ended_rightly = before.status.is_open or change.action in ("retry", "record_delivery")
        self._require(ended_rightly, before, f"{change.action} changed a job that had ended")
        allowed = after.status == before.status or after.status in ALLOWED_TRANSITIONS[before.status]
        self._require(allowed, before, f"illegal transition {before.status} -> {after.status}")
        claimed = int(change.action == "claim")
        self._require(after.attempt == before.attempt + claimed, before, "two claims have the same number")
        self._require(after.generation >= before.generation, before, "the generation went back")
        if change.action == "claim" and after.worker_id:
            understands = self.formats[after.worker_id.rpartition("-")[0]]
            self._require(after.needs <= understands, before, "claimed by a worker that does not know it")
        if change.action == "accept_upload" and before.upload.source is not None:
            self._require(self._is_fetched_whole(after, before.upload.source), before, "a mixed video")
        if change.action == "record_delivery":
            self._check_delivery(before, after)
        elif after.status is JobStatus.COMPLETED:
            self._require(self._results_are_right(after), before, "completed with wrong results")
        elif after.error is not None and after.error.code == "source_too_slow":
            self._require(after.updated_at >= after.created_at + SOURCE_LIMIT, before, "given up too soon")
        elif after.error is not None:
            rule = _RULES.get(after.error.code)
            ruled = rule is not None and rule(self, before)
            self._require(ruled, before, f"failed with {after.error.code}, but no rule says so")

    def on_turns(self, job: Job, jobs: Mapping[str, Job], now_s: float) -> None:
        """The account counts what there is, nobody has more turns than there are, and none is left unused."""
        counts = counted([(one.place, bytes_awaited(one)) for one in jobs.values()])
        account = self.accounts.read(job.owner)
        right = all(getattr(account, name) == count for name, count in counts.items())
        self._require(right, job, f"the account is wrong: {account}, not {counts}")
        listed = {entry.job_id for entry in self.accounts.list_open(job.owner)}
        open_jobs = {one.job_id for one in jobs.values() if one.place is not None}
        self._require(listed == open_jobs, job, f"the account lists {listed}, not {open_jobs}")
        self._require(counts["sent"] <= self.turns, job, "too many jobs were sent")
        is_idle = counts["sent"] < self.turns and any(one.waits for one in jobs.values())
        if self.is_calm and self.idle_since_s is not None:
            self._require(now_s - self.idle_since_s <= LONGEST_IDLE_S, job, "a turn was not given")
        if not (is_idle and self.is_calm):
            self.idle_since_s = None
        elif self.idle_since_s is None:
            self.idle_since_s = now_s

    def _check_delivery(self, before: Job, after: Job) -> None:
        delivered = before.delivery is not None and before.delivery.state is DeliveryState.DELIVERED
        self._require(not delivered, before, "a delivery was written over")
        if after.delivery is not None and after.delivery.state is DeliveryState.DELIVERED:
            called = (after.job_id, after.generation) in self.called
            self._require(called, before, "a call was noted that nobody received")

    def on_delete(self, job: Job) -> None:
        left = [key for key, version in files_of(job) if self.storage.is_current(key, version)]
        self._require(not left, job, f"deleted without {left}")

    def at_rest(self, jobs: Mapping[str, Job], accepted: set[str]) -> None:
        """Faults have stopped and time has passed."""
        for job_id in sorted(accepted - jobs.keys() - self.deleted):
            self.violations.append(f"job {job_id} was accepted and is not there")
        for job in jobs.values():
            self._require(not job.status.is_open, job, f"never ended: {job}")
            told = job.delivery is not None and job.delivery.state is not DeliveryState.RETRYING
            self._require(told or not job.options.callback_url, job, "its end was never told")
        if not self.violations and self.queue.size():
            self.violations.append("messages are left in the queue")

    def video_of(self, job: Job) -> SimulatedVideo | None:
        content = self.storage.content(job.upload.key, job.upload.version)
        return None if content is None else SimulatedVideo.from_bytes(content)

    def kinds_uploaded(self, job: Job) -> set[Kind]:
        return {SimulatedVideo.from_bytes(content).kind for content in self.storage.versions(job.upload.key)}

    def _results_are_right(self, job: Job) -> bool:
        video = self.video_of(job)
        stored = [self.storage.content(key, version) for key, version in files_of(job)]
        right = video is not None and video.kind is Kind.GOOD and video.results()
        return right == (stored, job.warnings)

    def _is_fetched_whole(self, job: Job, source: Source) -> bool:
        stored = self.storage.content(job.upload.key, job.upload.version)
        return stored in self.servers.contents(source.url)

    def _require(self, holds: bool, job: Job, sentence: str) -> None:
        self.require(holds, job.job_id, sentence)

    def require(self, holds: bool, job_id: str, sentence: str) -> None:
        if not holds:
            self.violations.append(f"job {job_id}: {sentence}")


def _is_broken(invariants: Invariants, job: Job) -> bool:
    video = invariants.video_of(job)
    return video is not None and video.kind is Kind.BROKEN


def _is_no_mp4(invariants: Invariants, job: Job) -> bool:
    source = job.upload.source
    served = set() if source is None else {video.kind for video in invariants.servers.videos[source.url]}
    return Kind.NO_MP4 in invariants.kinds_uploaded(job) | served


def _failed_often(_: Invariants, job: Job) -> bool:
    source = job.upload.source
    return source is not None and (
        source.failures + 1 >= sources.MAX_FAILURES or source.begun >= fetch_turn.MAX_BEGINNINGS
    )


_RULES: Mapping[str, Callable[[Invariants, Job], bool]] = {
    "invalid_mp4": _is_no_mp4,
    "source_unreachable": _failed_often,
    "source_interrupted": _failed_often,
    "unreadable_video": _is_broken,
    "worker_crashed": lambda _, job: job.crashes + 1 >= MAX_CRASHES,
    "temporarily_unavailable": lambda _, job: job.failures + 1 >= MAX_FAILURES,
    "dead_letter": lambda invariants, job: (job.job_id, job.generation) in invariants.queue.given_up,
    "cancelled": lambda invariants, job: job.job_id in invariants.cancelled,
    "upload_expired": lambda invariants, job: (
        job.upload.source_host is None and not invariants.storage.versions(job.upload.key)
    ),
}
"""What may fail a job: the rule behind each error code."""
