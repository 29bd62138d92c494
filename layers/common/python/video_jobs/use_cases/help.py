"""Use cases of help with long videos: a holder offers segments of its job, helpers claim them.

The holder is the worker that has the lease of the job. Helpers have leases of segments, which need the job's:
they go on only while the job runs with the same video and the same models and libraries.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from video_jobs.domain.byte_ranges import ByteRange
from video_jobs.domain.errors import ConflictError, TransientError
from video_jobs.domain.job import Job, JobStatus, Lease
from video_jobs.domain.parts import fingerprint_id_of, run_id
from video_jobs.domain.segments import MOST_CLAIMS, MOST_UNCLAIMED, HelpMessage, Segment, help_share
from video_jobs.domain.usage import Usage
from video_jobs.use_cases.base import UseCases
from video_jobs.use_cases.work import Claimant, LeaseLostError

FingerprintOf = Callable[[Job], str]
"""What a worker would compute a job with: the id of its fingerprint."""
RangesOf = Callable[[range], tuple[ByteRange, ...] | None]
"""Which bytes of a video some parts take, as `Segment` has them."""


def all_of_it(_: range) -> None:
    """The parts take the whole video."""


@dataclass(frozen=True, slots=True)
class HelpClaim:
    """A segment to compute, with its job; or why there is none."""

    reason: str
    job: Job | None = None
    segment: Segment | None = None


class Help(UseCases):
    """Use cases of holders (`least_parts` to `take_new`) and of helpers (`claim`, `keep`).

    `hold`, `finish` and `give_back` raise `ConflictError` if somebody else has claimed the segment since.
    """

    @property
    def least_parts(self) -> int | None:
        """A job with so many parts that are still to be computed asks for help; None if none does."""
        may_help = self._rules.running_per_owner > 1 and not self._rules.fleet.strict_order
        return self._rules.help_from_parts if may_help else None

    def look(self, job: Job) -> list[Segment]:
        """The segments of the run that the holder does."""
        return self._ports.segments.list_segments(job.job_id, _run_of(job))

    def offer(
        self,
        job: Job,
        segments: Sequence[Segment],
        parts: Sequence[range],
        ranges_of: RangesOf = all_of_it,
    ) -> list[Segment]:
        """Ask for help with new segments, as far as it may be asked for; return all segments.

        Parameters
        ----------
        segments
            Those that there are.
        parts
            The parts that new ones would have, in their order.
        ranges_of
            Which bytes of the video these take.
        """
        segments, now = list(segments), self._now()
        free = sum(segment.is_free(now) for segment in segments)
        open_messages = sum(segment.is_asked and not segment.is_answered for segment in segments)
        wanted = min(MOST_UNCLAIMED - free, MOST_UNCLAIMED - open_messages, len(parts))
        if wanted <= 0:
            return segments
        wanted = min(wanted, self._share(job) - open_messages)
        for taken in parts[: max(0, wanted)]:
            new = replace(_new(job, len(segments), taken), ranges=ranges_of(taken), is_asked=True)
            segment = self._written(new)
            if segment is None:
                return self.look(job)
            segments.append(segment)
            self._ask(job, segment)
        return segments

    def take(self, segment: Segment, claimant: Claimant, *, again: bool = False) -> Segment | None:
        """Claim a segment for the holder, unless somebody else was first.

        ``again`` if it may be done, but parts of it are missing.
        """
        try:
            return self._claimed(segment, claimant, again=again)
        except ConflictError:
            return None

    def take_new(self, job: Job, number: int, parts: range, claimant: Claimant) -> Segment | None:
        """Write a new segment that the holder computes itself, unless another holder has written this one."""
        lease = Lease(claimant.worker_id, self._now() + claimant.lease)
        return self._written(replace(_new(job, number, parts), lease=lease, claims=1))

    def claim(self, asked: HelpMessage, claimant: Claimant, fingerprint_of: FingerprintOf) -> HelpClaim:
        """Claim the segment that a message asks help with, or another one of the same job."""
        job = self._ports.jobs.get_by_id(asked.job_id)
        if job is None:
            return HelpClaim("unknown job")
        # A job that does not run may go on later, and then ask again.
        self._ports.segments.answer(job.job_id, _run_of(job), asked.number)
        if job.status is not JobStatus.RUNNING:
            return HelpClaim("the job does not run")
        if job.needs > claimant.understands:
            return HelpClaim("needs a newer worker")
        if fingerprint_id_of(job) != fingerprint_of(job):
            return HelpClaim("computed by other models or libraries")
        segment = self._first_free(job, asked, claimant)
        if segment is None:
            return HelpClaim("nothing is left to help with")
        return HelpClaim("claimed", job, segment)

    def keep(self, job: Job, segment: Segment, lease: timedelta, parts_done: int) -> None:
        """Extend a helper's lease, and see whether its work is still wanted.

        Raises
        ------
        LeaseLostError
            If somebody else has the segment, or the run has ended.
        """
        try:
            self.hold(segment, lease, parts_done)
        except ConflictError as exc:
            raise LeaseLostError from exc
        found = self._ports.jobs.get_by_id(job.job_id)
        if found is None or found.status is not JobStatus.RUNNING or _run_of(found) != segment.run_id:
            raise LeaseLostError

    def hold(self, segment: Segment, lease: timedelta, parts_done: int) -> None:
        """Extend the lease of a segment, and record how many of its parts are stored."""
        self._ports.segments.keep(segment, until=self._now() + lease, parts_done=parts_done)

    def finish(self, segment: Segment, used: Usage) -> None:
        """Record that all parts of a segment are stored."""
        self._ports.segments.finish(segment, used)

    def give_back(self, segment: Segment, used: Usage) -> None:
        """Release a segment that was not finished."""
        self._ports.segments.give_back(segment, used)

    def _ask(self, job: Job, segment: Segment) -> None:
        try:
            self._ports.queue.ask_for_help(job.job_id, segment.number, job.attempt)
        except TransientError:  # a message that was not sent must not count as one that waits
            self._ports.segments.answer(job.job_id, segment.run_id, segment.number)
            raise

    def _first_free(self, job: Job, asked: HelpMessage, claimant: Claimant) -> Segment | None:
        """The segment that help was asked for, or the first other one, claimed."""
        segments, now = self.look(job), self._now()
        for segment in sorted(segments, key=lambda one: (one.number != asked.number, one.number)):
            if segment.is_free(now) and segment.claims < MOST_CLAIMS:
                try:
                    return self._claimed(segment, claimant)
                except ConflictError:
                    continue
        return None

    def _claimed(self, segment: Segment, claimant: Claimant, *, again: bool = False) -> Segment:
        now = self._now()
        until = now + claimant.lease
        return self._ports.segments.claim(
            segment, worker_id=claimant.worker_id, until=until, now=now, again=again
        )

    def _written(self, segment: Segment) -> Segment | None:
        try:
            self._ports.segments.offer(segment, now=self._now())
        except ConflictError:
            return None
        return segment

    def _share(self, job: Job) -> int:
        sent = self._ports.accounts.read(job.owner).sent
        return help_share(self._rules.running_per_owner, max(1, sent))


def _run_of(job: Job) -> str:
    """The id of the newest run of a job that was opened."""
    return run_id(job, fingerprint_id_of(job) or "")


def _new(job: Job, number: int, parts: range) -> Segment:
    return Segment(
        job_id=job.job_id,
        run_id=_run_of(job),
        number=number,
        first_part=parts.start,
        part_count=len(parts),
    )
