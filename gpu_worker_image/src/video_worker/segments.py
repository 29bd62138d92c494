"""The segments of a run, as the holder of the job sees and offers them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from aws_lambda_powertools import Logger
from video_jobs.domain.errors import ConflictError, TransientError
from video_jobs.domain.job import Job
from video_jobs.domain.segments import MOST_UNCLAIMED, NOTHING_USED, Segment, parts_a_segment
from video_jobs.domain.usage import Usage
from video_jobs.ports import Clock
from video_jobs.use_cases.help import Help, RangesOf, all_of_it
from video_jobs.use_cases.work import Claimant

LOOK_EVERY = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Holder:
    """The worker that holds a job, and what it needs to share it."""

    help: Help
    claimant: Claimant
    clock: Clock
    wait: Callable[[float], None]
    logger: Logger = field(default_factory=Logger)


class HeldSegments:
    """The segments of the parts ``first`` to ``end - 1``; new ones are made from the front on.

    Attributes
    ----------
    mine
        The segment that the holder computes.
    seconds_a_part
        How long it takes the holder; None if it has not measured it yet.
    """

    def __init__(
        self, job: Job, holder: Holder, first: int, end: int, ranges_of: RangesOf = all_of_it
    ) -> None:
        self._job, self._holder, self._ranges_of = job, holder, ranges_of
        self._first, self._end = first, end
        self._all: list[Segment] = []
        self._looked_at: datetime | None = None
        self._used_before = NOTHING_USED
        self._mine_stored = 0
        self.mine: Segment | None = None
        self.seconds_a_part: float | None = None

    def begin(self) -> None:
        """See which segments earlier attempts have left; what was used for them is counted already."""
        self.look()
        self._used_before = _used_for(self._all)

    def look(self) -> None:
        """See which segments there are."""
        self._all = self._holder.help.look(self._job)

    def tick(self) -> None:
        """Look and ask for help again if it is time to; if AWS does not answer, the next look does it."""
        now = self._holder.clock.now()
        if self._looked_at is not None and now - self._looked_at < LOOK_EVERY:
            return
        self._looked_at = now
        self._try(self._offer)

    def stored(self, first: int) -> Iterator[tuple[int, Segment]]:
        """The parts from ``first`` on that are said to be stored, with their segments."""
        for segment in self._all:
            if segment.parts.stop > first:
                count = segment.part_count if segment.is_done else segment.parts_done
                yield from ((part, segment) for part in segment.parts[:count] if part >= first)

    @property
    def helpers(self) -> int:
        """How many segments other workers have now."""
        now, me = self._holder.clock.now(), self._holder.claimant.worker_id
        leases = (segment.lease for segment in self._all)
        return sum(lease is not None and lease.is_live(now) and lease.worker_id != me for lease in leases)

    def used(self) -> Usage:
        """What helpers used for segments that they have ended since `begin`, as far as that can be read."""
        self._try(self.look)
        return _used_for(self._all).since(self._used_before)

    def take(self, first_missing: int, broken: set[int]) -> Segment | None:
        """Get the first segment that nobody computes, or make a new one.

        Parameters
        ----------
        first_missing
            The first part that is not joined yet.
        broken
            Numbers of segments that are done, but of which a part is missing.
        """
        now = self._holder.clock.now()
        for segment in sorted(self._all, key=lambda one: one.first_part):
            if segment.is_free(now) or segment.number in broken:
                again = segment.number in broken
                taken = self._holder.help.take(segment, self._holder.claimant, again=again)
                if taken is not None:
                    return self._begun(taken)
        parts = self._uncovered(first_missing)
        if not parts:
            return None
        made = self._holder.help.take_new(self._job, len(self._all), parts, self._holder.claimant)
        return None if made is None else self._begun(made)

    def part_stored(self) -> None:
        """Count a part of `mine` that was stored."""
        self._mine_stored += 1

    def finish(self) -> None:
        """End `mine`, whose parts are all stored."""
        segment, self.mine = self.mine, None
        if segment is not None:
            try:
                self._holder.help.finish(segment, Usage())
            except ConflictError:
                return  # a helper has claimed it since, and computes it once more

    def _try(self, call: Callable[[], None]) -> None:
        try:
            call()
        except TransientError as error:
            self._holder.logger.warning("no look", action="look_failed", reason=error.message)

    def _offer(self) -> None:
        self.look()
        planned = list(islice(self._planned(self._all), MOST_UNCLAIMED))
        self._all = self._holder.help.offer(self._job, self._all, planned, self._ranges_of)
        if self.mine is not None:
            try:
                self._holder.help.hold(self.mine, self._holder.claimant.lease, self._mine_stored)
            except ConflictError:
                return

    def _begun(self, segment: Segment) -> Segment:
        self.mine, self._mine_stored = segment, 0
        self._all = [*(one for one in self._all if one.number != segment.number), segment]
        return segment

    def _uncovered(self, first_missing: int) -> range:
        """The parts from the first missing one on that are in no segment, or those of a new segment."""
        is_covered = any(first_missing in segment.parts for segment in self._all)
        later = [one.first_part for one in self._all if one.first_part > first_missing]
        if later and not is_covered:
            return range(first_missing, min(later))
        return next(self._planned(self._all), range(0))

    def _planned(self, segments: list[Segment]) -> Iterator[range]:
        """The parts of new segments."""
        start = max((segment.parts.stop for segment in segments), default=self._first)
        while start < self._end:
            stop = start + parts_a_segment(self.seconds_a_part, self._end - start)
            yield range(start, stop)
            start = stop


def _used_for(segments: Iterable[Segment]) -> Usage:
    total = NOTHING_USED
    for segment in segments:
        total = segment.used.added_to(total)
    return total
