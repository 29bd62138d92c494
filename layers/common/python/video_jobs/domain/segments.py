"""Segments: runs of parts of one long video, each of which another worker may compute.

The worker that holds a job writes the segments, works from the front, and asks for help. A worker that gets
such a message claims one segment by a lease of its own, and stores the parts. Whatever becomes of it, the
holder takes over what was not finished; so help only makes a job faster.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple, Self

from video_jobs.domain.byte_ranges import ByteRange
from video_jobs.domain.job import Lease, is_job_id
from video_jobs.domain.usage import Usage

MOST_UNCLAIMED = 4
"""So many segments of a job wait for a helper at most, and so many of its messages."""

MOST_WORK = timedelta(seconds=60)
"""A segment has at most so much work, or one part."""

_SHARES = 8
"""A segment is at most this fraction of what is left."""

MOST_CLAIMS = 3
"""A segment that was claimed so often and is not done is left to the holder, whose errors are told."""

SEGMENTS_KEPT = timedelta(days=1)
"""When the table drops a segment; longer than an attempt at a job may take."""

NOTHING_USED = Usage(cost_usd=Decimal())
"""What helpers used before there was one; unlike the cost of `Usage()`, its cost is known."""

_MARK = "/segment/"


class HelpMessage(NamedTuple):
    """What the body of a message says that asks for help: ``job_id/segment/n``.

    The number is a hint: if that segment is taken, a helper may take another one of the job.
    """

    job_id: str
    number: int

    @property
    def body(self) -> str:
        """The body of the message."""
        return f"{self.job_id}{_MARK}{self.number}"

    @classmethod
    def of_body(cls, body: str) -> Self | None:
        """What a body says; None if it does not ask for help.

        Examples
        --------
        >>> HelpMessage.of_body("no help") is None
        True
        """
        job_id, mark, number = body.partition(_MARK)
        is_help = bool(mark) and is_job_id(job_id) and number.isascii() and number.isdigit()
        return cls(job_id, int(number)) if is_help else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A run of parts, and who computes it.

    Attributes
    ----------
    run_id
        Of the parts (`domain.parts`).
    number, first_part, part_count
        Its number among the segments of the run, and which parts it has.
    ranges
        The bytes of the video that these take, with the video's index; None if they take all of it.
    lease, claims
        Who has it, and how often it was claimed: a claim counts only until the next one.
    parts_done
        How many of its parts its newest claimant has stored; only a hint, as ``is_done`` is.
    is_asked, is_answered
        Whether a message asked for help with it, and whether a worker has received that message.
    used
        What helpers used for it.
    """

    job_id: str
    run_id: str
    number: int
    first_part: int
    part_count: int
    ranges: tuple[ByteRange, ...] | None = None
    lease: Lease | None = None
    claims: int = 0
    parts_done: int = 0
    is_done: bool = False
    is_asked: bool = False
    is_answered: bool = False
    used: Usage = NOTHING_USED

    @property
    def parts(self) -> range:
        """The numbers of its parts."""
        return range(self.first_part, self.first_part + self.part_count)

    def is_free(self, now: datetime) -> bool:
        """Whether it can be claimed: it is not done, and no lease is live."""
        return not self.is_done and (self.lease is None or not self.lease.is_live(now))


def parts_a_segment(seconds_a_part: float | None, left: int) -> int:
    """How many parts a new segment has, of ``left`` ones that are in no segment yet.

    The last segments are small, so that all workers end at about the same time.

    Parameters
    ----------
    seconds_a_part
        How long a worker takes for a part; None if no part was timed yet.

    Examples
    --------
    >>> parts_a_segment(None, 400), parts_a_segment(5, 400), parts_a_segment(5, 40), parts_a_segment(90, 400)
    (1, 12, 5, 1)
    """
    if seconds_a_part is None:
        return 1
    most = int(MOST_WORK.total_seconds() // max(seconds_a_part, 0.01))
    return max(1, min(most, left // _SHARES))


def help_share(running_per_owner: int, sent: int) -> int:
    """How many messages of each of an owner's jobs may ask for help, if ``sent`` of them are in the queue.

    With the messages of these jobs, there are never more than ``running_per_owner``.

    Examples
    --------
    >>> help_share(4, 1), help_share(4, 2), help_share(4, 3)
    (3, 1, 0)
    """
    return min(MOST_UNCLAIMED, max(0, running_per_owner - sent) // max(1, sent))
