"""The port of help: where the segments of long videos are kept."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from video_jobs.domain.segments import Segment
from video_jobs.domain.usage import Usage


class SegmentRepository(Protocol):
    """The segments of the runs of jobs. Every method raises `TransientError` if the table did not answer.

    `keep`, `finish` and `give_back` are made by the worker of the newest claim: they take the segment that
    `claim` returned, and raise `ConflictError` if it was claimed again since.
    """

    def offer(self, segment: Segment, *, now: datetime) -> None:
        """Write a new segment; it is dropped `SEGMENTS_KEPT` after ``now``.

        Raises
        ------
        ConflictError
            If the run has a segment of this number.
        """
        ...

    def list_segments(self, job_id: str, run_id: str) -> list[Segment]:
        """All segments of a run by their number (consistent read)."""
        ...

    def claim(
        self, segment: Segment, *, worker_id: str, until: datetime, now: datetime, again: bool = False
    ) -> Segment:
        """Give a worker a segment, and return it as it is now.

        Parameters
        ----------
        again
            Whether it may have been done: its parts are missing.

        Raises
        ------
        ConflictError
            If it is done, or a lease is live, or it does not exist.
        """
        ...

    def keep(self, segment: Segment, *, until: datetime, parts_done: int) -> None:
        """Extend the lease, and record how many parts are stored."""
        ...

    def finish(self, segment: Segment, used: Usage) -> None:
        """Mark it as done, end the lease, and add what was used."""
        ...

    def give_back(self, segment: Segment, used: Usage) -> None:
        """End the lease, so that others may claim it at once, and add what was used."""
        ...

    def answer(self, job_id: str, run_id: str, number: int) -> None:
        """Record that a worker received the message that asked for help with it.

        If there is no such segment, nothing happens.
        """
        ...
