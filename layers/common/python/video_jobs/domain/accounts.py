"""What an owner has in the service, how much he may have, and how a job changes that.

Each open job has a `Place`. A job that gets another place makes a `Move`, which changes the job and its
owner's `Account` together or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from math import inf

from video_jobs.domain.errors import QuotaError

_ADVICE = {
    "open_jobs": "You have {limit} jobs that have not ended, which is as many as you may have; submit again "
    "when some of them have ended, or cancel some.",
    "uploads_awaited": "{limit} of your uploads are awaited, which is as many as there may be; upload their "
    "videos or cancel their jobs, then submit again.",
    "bytes_awaited": "The videos that you have still to upload would have more than {limit} bytes together; "
    "upload them or cancel their jobs, then submit again.",
    "submits_a_minute": "You may submit {limit} jobs a minute; submit again in the next minute.",
}
_MINUTE_S = 60


class Place(StrEnum):
    """Under what an owner's account counts an open job.

    AWAITING counts as an awaited upload, SENT as a message in the jobs queue, and WAITING as a job whose turn
    to be sent is still to come. OPEN counts as nothing more than an open job: its video is being fetched, or
    jobs are sent without turns (``QueueOrder=strict``).
    """

    AWAITING = "awaiting"
    OPEN = "open"
    WAITING = "waiting"
    SENT = "sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What one owner has at the moment.

    Attributes
    ----------
    open_jobs
        Jobs that have not ended.
    uploads_awaited, bytes_awaited
        Jobs whose video is still to come from the client, and how large these videos are at most.
    sent
        Open jobs that were sent to the jobs queue, whether they wait there or run. The other jobs that have
        their video wait in the table.
    version
        How often the account was changed.
    recounted_at
        When it was last compared with the jobs.
    """

    open_jobs: int = 0
    uploads_awaited: int = 0
    bytes_awaited: int = 0
    sent: int = 0
    version: int = 0
    recounted_at: datetime | None = None


COUNTS = ("open_jobs", "uploads_awaited", "bytes_awaited", "sent")
"""The fields of an account that count jobs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """How much one owner may have."""

    open_jobs: int = 10_000
    uploads_awaited: int = 1_000
    bytes_awaited: int = 2 * 2**40
    submits_a_minute: int = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A job's way from one place to another; None is no place: the job is new, or has ended.

    Attributes
    ----------
    created_at
        When the job was made, which is also its order among the owner's waiting jobs.
    bytes_awaited
        How large the job's video is at most.
    turns
        How many jobs of the owner may be sent at once. For SENT, a turn must be free; for WAITING, none.
    quotas
        What the owner may have after the move; None if that does not matter.
    submitted_at
        The time of a submit, which counts for its minute.
    """

    owner: str
    job_id: str
    created_at: datetime
    before: Place | None
    after: Place | None
    bytes_awaited: int = 0
    turns: int | None = None
    quotas: Quotas | None = None
    submitted_at: datetime | None = None

    @property
    def counts(self) -> dict[str, int]:
        """By how much each of `COUNTS` changes."""
        after, before = _counted(self.after, self.bytes_awaited), _counted(self.before, self.bytes_awaited)
        return {name: after[name] - before[name] for name in COUNTS}

    @property
    def limits(self) -> dict[str, int]:
        """For each of `COUNTS` that must not grow further, how much it may be before the move."""
        limits = {}
        for name, more in self.counts.items():
            limit = self._limit_of(name)
            if more > 0 and limit is not None:
                limits[name] = limit - more
        return limits

    @property
    def needs_all_turns_taken(self) -> bool:
        """Whether the job may wait only because no turn is free."""
        return self.after is Place.WAITING and self.turns is not None

    def _limit_of(self, name: str) -> int | None:
        if name == "sent":
            return self.turns
        limit: int | None = getattr(self.quotas, name, None)
        return limit


class TurnError(Exception):
    """No turn is free for a job that is to be sent, or one is free for a job that is to wait."""


def counted(places: list[tuple[Place | None, int]]) -> dict[str, int]:
    """What an account must count for jobs in these places, each with the size of its video."""
    each = [_counted(place, size_bytes) for place, size_bytes in places]
    return {name: sum(counts[name] for counts in each) for name in COUNTS}


def minute_of(moment: datetime) -> str:
    """The minute that a submit counts for."""
    return moment.strftime("%Y-%m-%dT%H:%M")


def quota_error(account: Account, submits: int, move: Move) -> QuotaError | None:
    """Why a move would break a quota, where this minute has had so many ``submits``; None if it would not."""
    quotas, at = move.quotas, move.submitted_at
    if quotas is None:
        return None
    if at is not None and submits >= quotas.submits_a_minute:
        return _refusal("submits_a_minute", quotas, retry_after_s=_MINUTE_S - at.second)
    limits = move.limits
    over = [name for name in COUNTS if name != "sent" and getattr(account, name) > limits.get(name, inf)]
    return _refusal(over[0], quotas) if over else None


def _refusal(name: str, quotas: Quotas, retry_after_s: int = _MINUTE_S) -> QuotaError:
    message = _ADVICE[name].format(limit=getattr(quotas, name))
    return QuotaError(message, retry_after_s=retry_after_s)


def _counted(place: Place | None, size_bytes: int) -> dict[str, int]:
    awaited = place is Place.AWAITING
    return {
        "open_jobs": int(place is not None),
        "uploads_awaited": int(awaited),
        "bytes_awaited": size_bytes if awaited else 0,
        "sent": int(place is Place.SENT),
    }
